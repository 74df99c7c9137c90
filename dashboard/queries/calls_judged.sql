-- calls_judged: in how much of its time each name had enough operations to tell a storm from chance.
-- One row per (dimension, name), named as in calls_named: hours with operations, and those with at least `$enough`.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $enough                               bigint, operations an hour
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select dimension, name, count(*) as hours, count(*) filter (where operations >= $enough) as judged
from (
    select dimension, name, this_hour_ns(bucket_ns) as hour_ns, sum(operations) as operations
    from calls_named($since_ns, $until_ns, 2, $workflow, $version, $environment)
    group by all
    having sum(operations) > 0
)
group by dimension, name
order by dimension, name
