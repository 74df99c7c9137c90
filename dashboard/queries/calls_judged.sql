-- calls_judged: in how much of its time each name had enough operations to tell a storm from chance.
-- One row per (workflow, dimension, name), named as in call_names, `workflow` is its owner: hours with operations, and those with at least `$enough`.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $enough                               bigint, operations an hour
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with names as materialized (
    select * from call_names($since_ns, $until_ns, $workflow)
),
called as (
    select this_hour_ns(bucket_ns) as hour_ns, call, sum(operations) as operations
    from calls_keyed($since_ns, $until_ns, 2, $workflow, $version, $environment)
    group by all
),
hourly as (
    select named, hour_ns, sum(operations) as operations
    from called join names using (call)
    group by named, hour_ns
    having sum(operations) > 0
),
judged as (
    select named, count(*) as hours, count(*) filter (where operations >= $enough) as judged from hourly group by named
)
select owner as workflow, dimension, name, hours, judged
from judged join (select distinct named, owner, dimension, name from names) using (named)
order by dimension, name, owner
