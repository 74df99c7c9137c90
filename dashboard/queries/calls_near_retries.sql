-- calls_near_retries: calls_over_time in buckets of 5 minutes, without those that no storm or look can reach.
-- A window of half an hour that is worth a look holds at least `$extra` tries beyond the first, so one of the two hours that
-- it can lie in holds half of them. Kept is each such hour of a name with the two before it and the one after.
-- One row per (bucket, dimension, name), named as in calls_named; `workflows`: those whose operations were tried again.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $extra                                bigint
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with hot as (
    select dimension, name, this_hour_ns(bucket_ns) as hour_ns
    from calls_named($since_ns, $until_ns, 2, $workflow, $version, $environment)
    where tries > 1
    group by all
    having sum((tries - 1) * operations) >= $extra::bigint / 2
),
near as materialized (
    select distinct dimension, name, (hour_ns::bigint + unnest(range(-7200000000000, 7200000000000, 300000000000)))::ubigint
        as bucket_ns
    from hot
    where hour_ns >= 7200000000000
)
select bucket_ns, dimension, name, sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts,
       sum(failed)::bigint as failed, sum(recovered)::bigint as recovered,
       max(tries) filter (where operations > 0) as most_tries, sum(wasted_ns)::bigint as wasted_ns,
       sum(wasted_tokens)::bigint as wasted_tokens, round(sum(wasted_usd), 9) as wasted_usd,
       list_sort(list(distinct workflow) filter (where tries > 1 and operations > 0)) as workflows
from calls_named($since_ns, $until_ns, 1, $workflow, $version, $environment)
semi join near using (dimension, name, bucket_ns)
group by all
having sum(operations) > 0
order by bucket_ns, dimension, name
