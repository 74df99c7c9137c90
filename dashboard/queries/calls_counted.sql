-- calls_counted: how often operations were tried over time, of names that were tried again often enough to matter.
-- One row per (dimension, name), named as in calls_named. `buckets`: those of 5 minutes with operations, in any order, each with
-- its operations, their attempts, and those of the operation that had the most.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $extra                                bigint, tries beyond the first, in all of the window
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with counted as (
    select bucket_ns, dimension, name, sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts,
           max(case when operations > 0 then tries else 0 end)::bigint as most_tries
    from calls_named($since_ns, $until_ns, 1, $workflow, $version, $environment)
    group by all
    having sum(operations) > 0
)
select dimension, name, list({bucket_ns: bucket_ns, operations: operations, attempts: attempts, most_tries: most_tries}) as buckets
from counted
group by dimension, name
having sum(attempts - operations) >= $extra
order by dimension, name
