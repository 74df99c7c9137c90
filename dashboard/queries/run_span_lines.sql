-- run_span_lines: some spans of one run, steps or not. One row per span; `place` is its place by start.
--   $run_id                                varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up off the rest of the store)
--   $places                                    integer[], places by start
with member as (
    select row_number() over (order by start_ns, span_id, trace_id) - 1 as place, span_id, trace_id
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and trace_id in (select trace_id from trace where run_id = $run_id
                       and first_received_ns >= $first_received_ns::ubigint and first_received_ns <= $last_received_ns::ubigint)
),
wanted as materialized (select * from member where place in (select unnest($places::integer[]))),
fault as (
    select trace_id, span_id, arg_min((role, recovered, silent, severity), (role <> 'root', role = 'collateral', recovered, code)) as f
    from failure
    where run_id = $run_id and (trace_id, span_id) in (select (trace_id, span_id) from wanted)
    group by trace_id, span_id
)
select w.place, s.span_id, s.trace_id, s.parent_span_id, s.step_kind as kind, s.name, s.start_ns, nullif(s.end_ns, 0) as end_ns,
       case when s.failed then 'failed' when s.interrupted then 'pending' when s.end_ns = 0 then 'open' else 'ok' end as status,
       s.error_type, s.in_band_error is not null as in_band, 1 as attempt, false as is_orphan,
       t.f[1] as role, t.f[2] as recovered, t.f[3] as silent, t.f[4] as severity
from wanted w
join span s on s.trace_id = w.trace_id and s.span_id = w.span_id
left join fault t on t.trace_id = w.trace_id and t.span_id = w.span_id
where s.received_ns >= $first_received_ns::ubigint and s.received_ns <= $last_received_ns::ubigint
order by w.place
