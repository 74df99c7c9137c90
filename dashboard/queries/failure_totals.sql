-- failure_totals: how many failures there were, how they ended, and what they dragged along. One row per certainty.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
-- loud + silent + recovered = failures: neither handled nor hidden, hidden, handled.
select f.certainty, count(*) filter (where f.role = 'root') as failures,
       count(distinct f.run_id) filter (where f.role = 'root') as runs,
       count(*) filter (where f.role = 'root' and not f.recovered and not f.silent) as loud,
       count(*) filter (where f.role = 'root' and f.silent) as silent,
       count(*) filter (where f.role = 'root' and f.recovered) as recovered,
       count(*) filter (where f.role = 'propagated' and f.code <> 'recovery.silent_failure') as propagated,
       count(*) filter (where f.role = 'collateral') as collateral
from failure f
join run r using (run_id)
where f.at_ns >= $since_ns::ubigint
  and r.start_ns >= $since_ns::ubigint and r.start_ns < $until_ns::ubigint
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
group by f.certainty
order by f.certainty
