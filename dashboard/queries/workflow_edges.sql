-- workflow_edges: of every workflow's depth-1 chain, what followed what, after a node that went well.
-- One row per (workflow, from_node, to_node, exit); from_node NULL is the start. Where to_node is NULL the chain was left: exit
-- is `end`, or `outside` where it failed although its last node was good.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select workflow, from_node, to_node, exit, sum(transitions)::bigint as transitions
from rollup_edge_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = ''
group by workflow, from_node, to_node, exit
having sum(transitions) > 0
order by workflow, from_node nulls first, to_node nulls last, exit
