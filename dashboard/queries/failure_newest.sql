-- failure_newest: the newest root occurrences. One row per occurrence, newest first.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
--   $limit                             bigint
select f.run_id, f.span_id, f.at_ns, r.workflow, f.step, f.code, f.layer_a, f.layer_b, f.recovered, f.silent, f.evidence
from failure f
join run r using (run_id)
where f.at_ns >= $since_ns::ubigint and f.role = 'root' and f.certainty = $certainty
  and r.start_ns >= $since_ns::ubigint and r.start_ns < $until_ns::ubigint
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
order by f.at_ns desc, f.run_id, f.span_id, f.code
limit $limit
