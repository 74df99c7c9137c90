-- report_triggers: failure codes over time, to tell what set a storm off.
-- One row per (bucket of 5 minutes, step, code).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select bucket_ns, step, code, sum(failures)::bigint as failures
from rollup_failure_between($since_ns, $until_ns, 1)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and step is not null
group by bucket_ns, step, code
having sum(failures) > 0
order by bucket_ns, step, code
