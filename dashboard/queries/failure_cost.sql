-- failure_cost: how long the steps ran that failed, by code. One row per code; NULL where none of them is a step that ended.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
-- Measured at 1 million runs of 7 steps, 100,000 failures: 0.9 s, 2 threads, most of it the look into `step`; hence apart.
select f.code, sum(s.duration_ns)::bigint as wasted_ns
from failure f
join run r using (run_id)
join step s on s.run_id = f.run_id and s.trace_id = f.trace_id and s.span_id = f.span_id
where f.at_ns >= $since_ns::ubigint and f.role = 'root' and f.certainty = $certainty
  and s.start_ns >= $since_ns::ubigint and (s.status = 'failed' or s.in_band_error is not null)
  and r.start_ns >= $since_ns::ubigint and r.start_ns < $until_ns::ubigint
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
group by f.code
order by f.code
