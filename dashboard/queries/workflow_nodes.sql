-- workflow_nodes: of every workflow's depth-1 chain, how often each node of a chain was visited, and went well.
-- One row per (workflow, node, step, kind): a node of steps side by side has one row for each of them.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select workflow, node, step, kind, sum(trials)::bigint as operations, sum(trials_first_good)::bigint as first_good,
       sum(trials_good)::bigint as good
from rollup_step_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = ''
group by workflow, node, step, kind
having sum(trials) > 0
order by workflow, node, step, kind
