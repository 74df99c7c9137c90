-- chain_daily_calls: operations and their tries, by step and day. One row per (day, name), named as in calls_over_time.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
with found as (
    select *, kind not in ('chain', 'agent') as is_call
    from rollup_call_between($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone))
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
),
wrapping as (select workflow, step from found where name = step group by all having not bool_and(is_call))
select day, case when name = step and not (is_call and w.step is not null) then name
                 else concat_ws(' › ', step, name) end as name,
       sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts
from found
left join wrapping w using (workflow, step)
asof join zone_days($since_ns, $until_ns, $zone) on bucket_ns >= day_ns
group by all
having sum(operations) > 0
order by day, name
