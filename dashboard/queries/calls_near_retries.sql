-- calls_near_retries: calls_over_time in buckets of 5 minutes, without those that no storm or look can reach.
-- A stretch of so many attempts an operation has a bucket with as many; all that is judged with it lies within `$reach_ns` and
-- holds at least `$extra` tries beyond the first. Kept is the time around such buckets: as long before as a storm can have
-- begun unnoticed, and an hour after.
-- One row per (bucket, dimension, name), named as in calls_named; `workflows`: those whose operations were tried again.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $extra                                bigint
--   $amplification                        double, attempts of an operation
--   $reach_ns, $before_ns                 bigint, whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with counted as materialized (
    select bucket_ns, dimension, name, sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts,
           sum(failed)::bigint as failed, sum(recovered)::bigint as recovered,
           max(case when operations > 0 then tries end) as most_tries, sum(wasted_ns)::bigint as wasted_ns,
           sum(wasted_tokens)::bigint as wasted_tokens, round(sum(wasted_usd), 9) as wasted_usd
    from calls_named($since_ns, $until_ns, 1, $workflow, $version, $environment)
    group by all
),
retried as (
    select bucket_ns, dimension, name, attempts - operations as extra, attempts >= $amplification::double * operations as is_hot
    from counted
    where attempts > operations
),
hot as (
    select bucket_ns, dimension, name
    from retried
    qualify is_hot and sum(extra) over (
        partition by dimension, name order by bucket_ns::bigint
        range between $reach_ns::bigint preceding and $reach_ns::bigint following
    ) >= $extra
),
near as materialized (
    select distinct dimension, name, (bucket_ns::bigint + around)::ubigint as bucket_ns
    from hot, range(-$before_ns::bigint - $reach_ns::bigint, 3600000000001, 300000000000) r(around)
    where bucket_ns >= $before_ns + $reach_ns
),
whose as (
    select bucket_ns, dimension, name, list_sort(list(distinct workflow)) as workflows
    from calls_named($since_ns, $until_ns, 1, $workflow, $version, $environment)
    semi join near using (dimension, name, bucket_ns)
    where tries > 1 and operations > 0
    group by all
)
select bucket_ns, dimension, name, operations, attempts, failed, recovered, most_tries, wasted_ns, wasted_tokens, wasted_usd,
       workflows
from counted semi join near using (dimension, name, bucket_ns) left join whose using (dimension, name, bucket_ns)
where operations > 0
order by bucket_ns, dimension, name
