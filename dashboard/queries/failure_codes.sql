-- failure_codes: root occurrences of failures. One row per (code, layer_a, layer_b, certainty, severity, step).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select code, layer_a, layer_b, certainty, severity, step, sum(failures)::bigint as failures,
       sum(case when recovered then failures else 0 end)::bigint as recovered,
       sum(case when silent then failures else 0 end)::bigint as silent
from rollup_failure_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by code, layer_a, layer_b, certainty, severity, step
having sum(failures) > 0
order by failures desc, code, certainty, step
