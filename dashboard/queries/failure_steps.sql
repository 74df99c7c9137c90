-- failure_steps: where the root occurrences lie. One row per (workflow, step, layer_a, layer_b), at most 400, those of
-- the steps with most failures first. `step` is NULL where none could be told.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
select workflow, step, layer_a, layer_b, count(*) as failures, count(*) filter (where last_of_step) as runs,
       count(*) filter (where recovered) as recovered, count(*) filter (where silent) as silent,
       histogram(code) as codes, max(at_ns) as newest_ns, min(at_ns) as first_ns,
       sum(count(*)) over (partition by workflow, step)::bigint as of_step
from failure
where at_ns >= $since_ns::ubigint and role = 'root' and certainty = $certainty
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by workflow, step, layer_a, layer_b
order by of_step desc, workflow, step, failures desc, layer_a, layer_b
limit 400
