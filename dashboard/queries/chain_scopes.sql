-- chain_scopes: which steps can be opened: the chains that were seen below others.
-- One row per (scope, operations), the most used first.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select scope, sum(operations)::bigint as operations
from rollup_step_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by scope
having sum(operations) > 0
order by operations desc, scope
