-- run_span_folds: what lies right below some spans of one run, apart from what is shown. One row per parent.
-- `names` are the three most frequent.
--   $run_id                                varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up off the rest of the store)
--   $parents                               varchar[], span ids; '' for the top of the tree
--   $shown                                 varchar[], span ids
with member as materialized (
    select span_id, parent_span_id, name, start_ns, nullif(end_ns, 0) as end_ns
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and trace_id in (select trace_id from trace where run_id = $run_id
                       and first_received_ns >= $first_received_ns::ubigint and first_received_ns <= $last_received_ns::ubigint)
),
hidden as (
    select coalesce(p.span_id, '') as parent, m.name, count(*) as steps, min(m.start_ns) as start_ns, max(m.end_ns) as end_ns
    from member m
    left join member p on p.span_id = m.parent_span_id
    where coalesce(p.span_id, '') in (select unnest($parents::varchar[]))
      and m.span_id not in (select unnest($shown::varchar[]))
    group by all
)
select parent, list(name order by steps desc, name)[:3] as names, count(*) as named, min(start_ns) as start_ns, max(end_ns) as end_ns
from hidden
group by parent
order by parent
