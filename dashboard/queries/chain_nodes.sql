-- chain_nodes: how often each node of a chain was visited, and went well.
-- One row per (node, step, kind): a node of steps side by side has one row for each of them.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $scope                                varchar, '' for depth 1, else the names of the steps opened, joined by ' › '
select node, step, kind, sum(trials)::bigint as operations, sum(trials_first_good)::bigint as first_good,
       sum(trials_good)::bigint as good
from rollup_step_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = $scope
group by node, step, kind
having sum(trials) > 0
order by node, step, kind
