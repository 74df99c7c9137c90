-- attempts_histogram: how often operations were tried. One row per (name, kind, tries).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select name, kind, tries, sum(operations)::bigint as operations
from rollup_call_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by name, kind, tries
having sum(operations) > 0
order by name, kind, tries
