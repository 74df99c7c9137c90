-- calls_counted: how often operations were tried over time, of names that were tried again often enough to matter.
-- One row per (workflow, dimension, name), named as in call_names; `workflow` is its owner. `buckets`: those of 5 minutes with operations, in any order, each with
-- its operations, their attempts, and those of the operation that had the most.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $extra                                bigint, tries beyond the first, in all of the window
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with names as materialized (  -- times `one`: DuckDB would sum before the join, too, for as many rows as there are: twice as slow
    select *, 1 as one from call_names($since_ns, $until_ns, $workflow)
),
counted as (
    select named, bucket_ns, sum(one * operations)::bigint as operations, sum(one * tries * operations)::bigint as attempts,
           max(case when operations > 0 then one * tries else 0 end)::bigint as most_tries
    from calls_keyed($since_ns, $until_ns, 1, $workflow, $version, $environment)
    join names using (call)
    group by named, bucket_ns
    having sum(operations) > 0
),
listed as (
    select named, list({bucket_ns: bucket_ns, operations: operations, attempts: attempts, most_tries: most_tries}) as buckets
    from counted
    group by named
    having sum(attempts - operations) >= $extra
)
select owner as workflow, dimension, name, buckets
from listed join (select distinct named, owner, dimension, name from names) using (named)
order by dimension, name, owner
