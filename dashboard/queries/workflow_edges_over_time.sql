-- workflow_edges_over_time: of every workflow's depth-1 chain, what followed what, over time.
-- One row per (workflow, bucket, from_node, to_node, exit), as in workflow_edges.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $step_ns                              bigint, length of a bucket in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select workflow, (bucket_ns // $step_ns::ubigint * $step_ns::ubigint)::bigint as bucket_ns,
       from_node, to_node, exit, sum(transitions)::bigint as transitions
from rollup_edge_between($since_ns, $until_ns, coarsest_within($step_ns))
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = ''
group by all
having sum(transitions) > 0
order by workflow, bucket_ns, from_node nulls first, to_node nulls last, exit
