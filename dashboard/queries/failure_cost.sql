-- failure_cost: how long the steps took that failed, by code. One row per code; NULL where none of them failed and ended.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
select code, sum(lost_ns)::bigint as wasted_ns
from failure
where at_ns >= $since_ns::ubigint and role = 'root' and certainty = $certainty
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by code
order by code
