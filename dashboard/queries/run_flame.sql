-- run_flame: the steps of one run by depth and time, those too narrow to be seen put together. One row per block: a step, or
-- neighbours of one name under one parent. Longest first, at most $limit; `blocks` and `total` count all blocks and steps in sight;
-- `role`, `recovered`, `silent` and `severity` are those of the failure of the step that stands for its block.
--   $run_id           varchar
--   $start_ns, $last_ns  bigint, inclusive; between which its steps began
--   $begin_ns, $end_ns  bigint, half-open; the stretch of time that is drawn
--   $columns          bigint; a step narrower than a part of so many is put together with its like in one part
--   $first, $last     bigint, inclusive; places in reading order (a step and all below it)
--   $limit            bigint
with seen as (
    select position, depth, parent_span_id, span_id, trace_id, kind, name, status, in_band_error is not null as in_band,
           greatest(start_ns, $begin_ns::ubigint) as start_ns, least(coalesce(end_ns, $end_ns::ubigint), $end_ns::ubigint) as end_ns
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and position >= $first and position <= $last
      and start_ns < $end_ns::ubigint and (end_ns is null or end_ns > $begin_ns::ubigint or start_ns >= $begin_ns::ubigint)
),
sized as (
    select *, case when end_ns > start_ns then end_ns - start_ns else 0 end as length_ns, $end_ns::ubigint - $begin_ns::ubigint as whole_ns
    from seen
),
block as (
    select min(position) as place, depth, arg_min(span_id, (status <> 'failed', position)) as span_id,
           arg_min(trace_id, (status <> 'failed', position)) as trace_id, any_value(kind) as kind, name,
           count(*) as steps, count(*) filter (where status = 'failed') as failed,
           case when bool_or(status = 'failed') then 'failed' when bool_or(status = 'pending') then 'pending'
                when bool_or(status = 'open') then 'open' else 'ok' end as status,
           bool_or(in_band) as in_band, min(start_ns) as start_ns, max(greatest(end_ns, start_ns)) as end_ns, sum(length_ns) as length_ns
    from sized
    group by depth, name, parent_span_id, case when length_ns * $columns >= whole_ns then position + 1
                                               else -((start_ns - $begin_ns::ubigint) * $columns // greatest(whole_ns, 1))::bigint end
),
fault as (
    select trace_id, span_id, arg_min((role, recovered, silent, severity), (role <> 'root', role = 'collateral', recovered, code)) as f
    from failure
    where run_id = $run_id and run_start_ns = $start_ns::ubigint
    group by trace_id, span_id
)
select b.*, t.f[1] as role, t.f[2] as recovered, t.f[3] as silent, t.f[4] as severity,
       (select count(*) from block) as blocks, (select count(*) from sized) as total
from block b
left join fault t on t.trace_id = b.trace_id and t.span_id = b.span_id
order by length_ns desc, place
limit $limit
