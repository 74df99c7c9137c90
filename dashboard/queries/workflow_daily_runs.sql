-- workflow_daily_runs: how the runs of every workflow ended, by day. One row per (workflow, day); `good`: clean or recovered.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
select workflow, day,
       sum(case when outcome in ('clean', 'recovered', 'silent', 'failed') then runs else 0 end)::bigint as finished,
       sum(case when outcome in ('clean', 'recovered') then runs else 0 end)::bigint as good
from rollup_run_between($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone))
join zone_buckets($since_ns, $until_ns, $zone) using (bucket_ns)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by workflow, day
having sum(case when outcome in ('clean', 'recovered', 'silent', 'failed') then runs else 0 end) > 0
order by workflow, day
