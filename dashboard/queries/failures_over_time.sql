-- failures_over_time: root occurrences by layer and by when their run began, so that a column leads to its runs.
-- One row per (bucket, layer_a, layer_b); empty buckets are absent.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $bucket_ns                         bigint
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
-- No failure lies before the start of its run, so `at_ns` bounds the look into `failure`.
select (run_start_ns // $bucket_ns::ubigint) * $bucket_ns::ubigint as bucket_ns, layer_a, layer_b, count(*) as failures
from failure
where at_ns >= $since_ns::ubigint and role = 'root' and certainty = $certainty
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by bucket_ns, layer_a, layer_b
order by bucket_ns, layer_a, layer_b
