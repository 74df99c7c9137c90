-- run_folds: what lies right below some steps of one run, apart from what is shown. One row per parent.
-- `names` are the three most frequent.
--   $run_id             varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
--   $parents            varchar[], span ids; '' for the top of the tree
--   $shown              integer[], places of shown steps
with hidden as (
    select coalesce(parent_span_id, '') as parent, name, count(*) as steps, min(start_ns) as start_ns, max(end_ns) as end_ns
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and coalesce(parent_span_id, '') in (select unnest($parents::varchar[]))
      and position not in (select unnest($shown::integer[]))
    group by all
)
select parent, list(name order by steps desc, name)[:3] as names, count(*) as named, min(start_ns) as start_ns, max(end_ns) as end_ns
from hidden
group by parent
order by parent
