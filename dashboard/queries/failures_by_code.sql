-- failures_by_code: which codes the root occurrences have. One row per code, most frequent first, at most 60.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
select code, any_value(layer_a) as layer_a, any_value(layer_b) as layer_b, any_value(severity) as severity,
       count(*) as failures, count(*) filter (where last_of_code) as runs, count(*) filter (where recovered) as recovered,
       count(*) filter (where silent) as silent,
       max_by(run_id, (at_ns, run_id)) as newest_run_id, max_by(span_id, (at_ns, run_id)) as newest_span_id,
       max(at_ns) as newest_ns, min(at_ns) as first_ns
from failure
where at_ns >= $since_ns::ubigint and role = 'root' and certainty = $certainty
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by code
order by failures desc, code
limit 60
