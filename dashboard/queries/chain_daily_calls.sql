-- chain_daily_calls: operations and their tries, by step and day. One row per (day, name), named as in calls_named.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
with names as materialized (
    select call, name from call_names($since_ns, $until_ns, $workflow) where dimension = 'step'
),
called as (
    select day, call, sum(operations) as operations, sum(tries * operations) as attempts
    from calls_keyed($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone), $workflow, $version, $environment)
    join zone_buckets($since_ns, $until_ns, $zone) using (bucket_ns)
    group by day, call
)
select day, name, sum(operations)::bigint as operations, sum(attempts)::bigint as attempts
from called join names using (call)
group by day, name
having sum(operations) > 0
order by day, name
