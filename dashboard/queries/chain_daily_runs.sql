-- chain_daily_runs: how runs ended, by day. One row per day that has runs; `good` ones are clean or recovered.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
select day, sum(case when outcome in ('clean', 'recovered', 'silent', 'failed') then runs else 0 end)::bigint as finished,
       sum(case when outcome in ('clean', 'recovered') then runs else 0 end)::bigint as good,
       sum(case when outcome = 'clean' then runs else 0 end)::bigint as clean,
       sum(case when outcome = 'recovered' then runs else 0 end)::bigint as recovered,
       sum(case when outcome = 'silent' then runs else 0 end)::bigint as silent,
       sum(case when outcome = 'failed' then runs else 0 end)::bigint as failed,
       sum(case when outcome = 'pending' then runs else 0 end)::bigint as pending,
       sum(rescued)::bigint as rescued,
       sum(case when verdict = 'pass' then runs else 0 end)::bigint as verdict_pass,
       sum(case when verdict = 'fail' then runs else 0 end)::bigint as verdict_fail
from rollup_run_between($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone))
join zone_buckets($since_ns, $until_ns, $zone) using (bucket_ns)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by day
having sum(runs) > 0
order by day
