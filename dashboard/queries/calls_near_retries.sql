-- calls_near_retries: calls_over_time in buckets of 5 minutes, in stretches that were found in calls_counted.
-- One row per (bucket, workflow, dimension, name) in any order, named as in call_names; `workflow` is its owner. `workflows`: those whose operations were tried again.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes: around the stretches
--   $names_since_ns, $names_until_ns      bigint, the window whose names they are
--   $owners, $dimensions, $names          varchar[], of each stretch
--   $begins_ns, $ends_ns                  bigint[], half-open, of each stretch, in whole 5 minutes; those of a name do not overlap
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with stretch as materialized (
    select unnest($owners::varchar[]) as owner, unnest($dimensions::varchar[]) as dimension, unnest($names::varchar[]) as name,
           unnest($begins_ns::bigint[]) as begin_ns, unnest($ends_ns::bigint[]) as end_ns
),
names as materialized (
    select * from call_names($names_since_ns, $names_until_ns, $workflow) semi join stretch using (owner, dimension, name)
),
near as (
    select hash(owner, dimension, name) as named, unnest(range(begin_ns, end_ns, 300000000000))::ubigint as bucket_ns from stretch
),
called as (
    select bucket_ns, named, sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts,
           sum(failed)::bigint as failed, sum(recovered)::bigint as recovered,
           sum(wasted_ns)::bigint as wasted_ns,
           sum(wasted_tokens)::bigint as wasted_tokens, round(sum(wasted_usd), 9) as wasted_usd,
           list_sort(list(distinct workflow) filter (where tries > 1 and operations > 0)) as workflows
    from calls_keyed($since_ns, $until_ns, 1, $workflow, $version, $environment)
    join names using (call)
    semi join near using (named, bucket_ns)
    group by bucket_ns, named
    having sum(operations) > 0
)
select bucket_ns, owner as workflow, dimension, name, called.* exclude (bucket_ns, named)
from called join (select distinct named, owner, dimension, name from names) using (named)
