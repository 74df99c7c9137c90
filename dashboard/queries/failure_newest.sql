-- failure_newest: the newest root occurrences. One row per occurrence, newest first.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
--   $limit                             bigint
select run_id, span_id, at_ns, workflow, step, code, layer_a, layer_b, recovered, silent, evidence
from failure
where at_ns >= $since_ns::ubigint and role = 'root' and certainty = $certainty
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
order by at_ns desc, run_id, span_id, code
limit $limit
