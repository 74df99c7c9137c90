-- failures_begun: root occurrences of failures as the roll-up holds them. Several rows, in any order, may hold one key: sum them.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select bucket_ns, workflow, step, code, failures
from rollup_failure_between($since_ns, $until_ns, 1)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
