-- run_totals: how the runs of a window went. One row.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
-- p95_ns is NULL where no run has finished. failed_since_ns is the start of the first run that failed or fell silent.
select count(*) as runs,
       count(*) filter (where outcome in ('clean', 'recovered', 'silent', 'failed')) as finished,
       count(*) filter (where outcome = 'clean') as clean,
       count(*) filter (where outcome = 'recovered') as recovered,
       count(*) filter (where outcome = 'silent') as silent,
       count(*) filter (where outcome = 'failed') as failed,
       count(*) filter (where outcome = 'pending') as pending,
       count(*) filter (where outcome = 'open') as unfinished,
       count(verdict) as verdicts,
       count(*) filter (where duration_ns is not null and outcome in ('clean', 'recovered', 'silent', 'failed')) as timed,
       quantile_disc(duration_ns, 0.95)
           filter (where outcome in ('clean', 'recovered', 'silent', 'failed')) as p95_ns,
       min(start_ns) filter (where outcome in ('silent', 'failed')) as failed_since_ns,
       max(start_ns) as newest_ns
from run
where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
