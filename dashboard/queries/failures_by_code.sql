-- failures_by_code: which codes the root occurrences have. One row per code, most frequent first, at most 60.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
select f.code, any_value(f.layer_a) as layer_a, any_value(f.layer_b) as layer_b, any_value(f.severity) as severity,
       count(*) as failures, count(distinct f.run_id) as runs, count(*) filter (where f.recovered) as recovered,
       count(*) filter (where f.silent) as silent,
       max_by(f.run_id, (f.at_ns, f.run_id)) as newest_run_id, max_by(f.span_id, (f.at_ns, f.run_id)) as newest_span_id,
       max(f.at_ns) as newest_ns, min(f.at_ns) as first_ns
from failure f
join run r using (run_id)
where f.at_ns >= $since_ns::ubigint and f.role = 'root' and f.certainty = $certainty
  and r.start_ns >= $since_ns::ubigint and r.start_ns < $until_ns::ubigint
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
group by f.code
order by failures desc, f.code
limit 60
