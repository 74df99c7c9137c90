-- chain_daily_latency: how long operations of each step took, by day, in eighths of an octave.
-- One row per (day, step, octave_8): `observations` of about 2 ** ((octave_8 + 0.5) / 8) ns.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $scope                                varchar, '' for depth 1, else the names of the steps opened, joined by ' › '
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
select day, step, octave_8, sum(observations)::bigint as observations
from rollup_latency_between($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone))
join zone_buckets($since_ns, $until_ns, $zone) using (bucket_ns)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and scope = $scope and step is not null
group by day, step, octave_8
having sum(observations) > 0
order by day, step, octave_8
