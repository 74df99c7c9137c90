-- failure_steps: where the root occurrences lie. One row per (workflow, step, layer_a, layer_b), at most 400, those of
-- the steps with most failures first. `step` is NULL where none could be told.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar; observed, inferred and judged are never added up
select r.workflow, f.step, f.layer_a, f.layer_b, count(*) as failures, count(distinct f.run_id) as runs,
       count(*) filter (where f.recovered) as recovered, count(*) filter (where f.silent) as silent,
       mode(f.code) as code, max(f.at_ns) as newest_ns, min(f.at_ns) as first_ns,
       sum(count(*)) over (partition by r.workflow, f.step)::bigint as of_step
from failure f
join run r using (run_id)
where f.at_ns >= $since_ns::ubigint and f.role = 'root' and f.certainty = $certainty
  and r.start_ns >= $since_ns::ubigint and r.start_ns < $until_ns::ubigint
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
group by r.workflow, f.step, f.layer_a, f.layer_b
order by of_step desc, r.workflow, f.step, failures desc, f.layer_a, f.layer_b
limit 400
