-- calls_counted: how often operations were tried over time, where they were tried again often enough to matter.
-- One row per (workflow, dimension, name), named as in call_names, that was tried again so often; `workflow` is its owner. Lists in any order:
-- `buckets`, those of 5 minutes in reach of enough tries beyond the first, each with its operations and their attempts;
-- `again`, those in which something was tried again, each with the attempts of the operation that had the most.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $reach_ns                             bigint, the longest window, in whole 5 minutes …
--   $extra                                bigint, … and the tries beyond the first that make it matter
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
-- Most buckets hold no second try: to sum them up for each name would take more memory than a question has, at 1 million runs.
with names as materialized (  -- times `one`: DuckDB would sum before the join, too, for as many rows as there are: twice as slow
    select *, 1 as one from call_names($since_ns, $until_ns, $workflow)
),
tried as materialized (
    select named, bucket_ns::bigint as bucket_ns, sum(one * (tries - 1) * operations)::bigint as extra,
           max(case when operations > 0 then one * tries else 0 end)::bigint as most_tries
    from calls_keyed($since_ns, $until_ns, 1, $workflow, $version, $environment)
    join names using (call)
    where tries > 1
    group by named, bucket_ns
    having extra > 0
),
enough as (
    select named, bucket_ns
    from tried
    qualify sum(extra) over (partition by named order by bucket_ns range between $reach_ns - 300000000000 preceding and current row) >= $extra
),
near as materialized (
    select distinct named, unnest(range(bucket_ns - $reach_ns + 300000000000, bucket_ns + $reach_ns, 300000000000))::ubigint as bucket_ns
    from enough
),
counted as (
    select named, bucket_ns, sum(one * operations)::bigint as operations, sum(one * tries * operations)::bigint as attempts
    from calls_keyed($since_ns, $until_ns, 1, $workflow, $version, $environment)
    join (select * from names where named in (select named from near)) using (call)
    semi join near using (named, bucket_ns)
    group by named, bucket_ns
),
listed as (
    select named, list({bucket_ns: bucket_ns, operations: operations, attempts: attempts}) as buckets from counted group by named
),
again as (
    select named, list({bucket_ns: bucket_ns, most_tries: most_tries}) as again from tried group by named
)
select owner as workflow, dimension, name, buckets, again
from listed join again using (named) join (select distinct named, owner, dimension, name from names) using (named)
order by dimension, name, owner
