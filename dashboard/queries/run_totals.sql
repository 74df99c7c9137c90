-- run_totals: how the runs of a window went. One row.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
-- newest_ns is NULL where there is none.
with ended as (
    select outcome, count(*) as runs, max(start_ns) as newest_ns
    from run
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
    group by outcome
)
select coalesce(sum(runs), 0)::bigint as runs,
       coalesce(sum(runs) filter (where outcome in ('clean', 'recovered', 'silent', 'failed')), 0)::bigint as finished,
       coalesce(sum(runs) filter (where outcome = 'clean'), 0)::bigint as clean,
       coalesce(sum(runs) filter (where outcome = 'recovered'), 0)::bigint as recovered,
       coalesce(sum(runs) filter (where outcome = 'silent'), 0)::bigint as silent,
       coalesce(sum(runs) filter (where outcome = 'failed'), 0)::bigint as failed,
       coalesce(sum(runs) filter (where outcome = 'pending'), 0)::bigint as pending,
       coalesce(sum(runs) filter (where outcome = 'open'), 0)::bigint as unfinished,
       max(newest_ns) as newest_ns
from ended
