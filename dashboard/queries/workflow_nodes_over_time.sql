-- workflow_nodes_over_time: of every workflow's depth-1 chain, how often each node was visited, and went well, over time.
-- One row per (workflow, bucket, node, step, kind).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $step_ns                              bigint, length of a bucket in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select workflow, (bucket_ns // $step_ns::ubigint * $step_ns::ubigint)::bigint as bucket_ns,
       node, step, kind, sum(trials)::bigint as operations,
       sum(trials_first_good)::bigint as first_good, sum(trials_good)::bigint as good
from rollup_step_between($since_ns, $until_ns, coarsest_within($step_ns))
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = ''
group by all
having sum(trials) > 0
order by workflow, bucket_ns, node, step, kind
