-- failure_totals: how many failures there were, how they ended, and what they dragged along. One row per certainty.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
-- loud + silent + recovered = failures: neither handled nor hidden, hidden, handled.
select certainty, count(*) filter (where role = 'root') as failures,
       count(*) filter (where last_of_run) as runs,
       count(*) filter (where role = 'root' and not recovered and not silent) as loud,
       count(*) filter (where role = 'root' and silent) as silent,
       count(*) filter (where role = 'root' and recovered) as recovered,
       count(*) filter (where role = 'propagated' and code <> 'recovery.silent_failure') as propagated,
       count(*) filter (where role = 'collateral') as collateral
from failure
where at_ns >= $since_ns::ubigint
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by certainty
order by certainty
