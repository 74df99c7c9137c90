-- versions_seen: what was first seen when: versions, models, and markers that were posted. One row each.
--   $since_ns, $until_ns  bigint, half-open [since, until)
--   $workflow             varchar, '' for all; a marker without a workflow belongs to each
-- As the view version_seen says, in two steps: the day of each, from the few rows of whole days, and then the 5 minutes in that day.
with day as materialized (
    select kind, workflow, label, min(day_ns) as day_ns
    from (
        select 'workflow' as kind, workflow, workflow_version as label, this_day_ns(bucket_ns) as day_ns
        from rollup_run_between(0, 9223372036854775807, 3)
        where workflow_version is not null and ($workflow = '' or workflow = $workflow)
        group by all
        having sum(runs) > 0
        union all
        select 'model', workflow, model, this_day_ns(bucket_ns)
        from rollup_call_between(0, 9223372036854775807, 3)
        where model is not null and ($workflow = '' or workflow = $workflow)
        group by all
        having sum(operations) > 0
    )
    group by all
    having min(day_ns) < $until_ns::ubigint and min(day_ns) + 86400000000000 > $since_ns::ubigint
),
seen as (
    select min(bucket_ns) as at_ns, workflow, kind, label
    from (
        select d.kind, workflow, label, bucket_ns
        from rollup_run_between(0, 9223372036854775807, 1) r
        join day d using (workflow)
        where d.kind = 'workflow' and d.label = r.workflow_version and bucket_ns >= day_ns and bucket_ns < day_ns + 86400000000000
        group by all
        having sum(runs) > 0
        union all
        select d.kind, workflow, label, bucket_ns
        from rollup_call_between(0, 9223372036854775807, 1) c
        join day d using (workflow)
        where d.kind = 'model' and d.label = c.model and bucket_ns >= day_ns and bucket_ns < day_ns + 86400000000000
        group by all
        having sum(operations) > 0
    )
    group by all
)
select at_ns, workflow, kind, label, false as posted
from seen
where at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
union all
select at_ns, coalesce(workflow, ''), kind, label, true as posted
from marker
where ($workflow = '' or workflow = $workflow or workflow is null)
  and at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
order by at_ns, workflow, kind, label
