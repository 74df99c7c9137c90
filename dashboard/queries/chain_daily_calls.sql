-- chain_daily_calls: operations and their tries, by step and day. One row per (day, name), named as in calls_named.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $zone                                 varchar, the time zone of the days, as `Europe/Berlin`
select day, name, sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts
from calls_named($since_ns, $until_ns, coarsest_within_days($since_ns, $until_ns, $zone), $workflow, $version, $environment)
asof join zone_days($since_ns, $until_ns, $zone) on bucket_ns >= day_ns
where dimension = 'step'
group by day, name
having sum(operations) > 0
order by day, name
