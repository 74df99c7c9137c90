-- chain_daily_nodes: how often each node of a chain was visited, and went well, by day.
-- One row per (day, node, step, kind); days without are absent.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $scope                                varchar, '' for depth 1, else the names of the steps opened, joined by ' › '
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
select day, node, step, kind, sum(trials)::bigint as operations, sum(trials_first_good)::bigint as first_good,
       sum(trials_good)::bigint as good
from rollup_step_between($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone))
join zone_buckets($since_ns, $until_ns, $zone) using (bucket_ns)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = $scope
group by day, node, step, kind
having sum(trials) > 0
order by day, node, step, kind
