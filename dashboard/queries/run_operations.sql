-- run_operations: the operations of one run in reading order, the first ones where there are many. One row per operation;
-- `operations` counts all. Status and output are those of its last try, the input that of its first; tokens are those of all.
--   $run_id                                varchar
--   $start_ns, $last_ns                    bigint, inclusive; between which its steps began
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up of inputs short)
--   $depth                                 bigint; 1: the chain, more: with what lies within
--   $limit                                 bigint
with operated as (
    select operation_id, min(position) as position, count(*) as steps, max_by(span_id, attempt) as last_span_id,
           sum(tokens_input) as tokens_input, sum(tokens_output) as tokens_output, min(start_ns) as start_ns, max(end_ns) as end_ns,
           bool_or(end_ns is null) as is_open, count(*) over () as operations
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint and depth <= $depth
    group by operation_id
    order by position
    limit $limit
),
hashed as (
    select trace_id, span_id, input_hash, output_hash
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and trace_id in (select trace_id from trace where run_id = $run_id
                       and first_received_ns >= $first_received_ns::ubigint and first_received_ns <= $last_received_ns::ubigint)
),
fault as (
    select trace_id, span_id,
           arg_min((role, recovered, silent, severity), (role <> 'root', role = 'collateral', recovered, code)) as f
    from failure
    where run_id = $run_id and run_start_ns = $start_ns::ubigint
    group by trace_id, span_id
)
select s.operation_id, s.parent_span_id, s.kind, s.name, p.last_span_id as span_id, s.depth,
       p.start_ns, case when not p.is_open then p.end_ns end as end_ns,
       case when not p.is_open and p.end_ns >= p.start_ns then p.end_ns - p.start_ns end as duration_ns,
       greatest(p.steps, coalesce(o.attempts, 1)) as tries, p.tokens_input::bigint as tokens_input, p.tokens_output::bigint as tokens_output,
       l.status, l.in_band_error is not null as in_band, o.outcome as operation_outcome,
       f.f[1] as role, f.f[2] as recovered, f.f[3] as silent, f.f[4] as severity,
       i.input_hash, h.output_hash, p.operations
from operated p
join step s on s.run_id = $run_id and s.start_ns >= $start_ns::ubigint and s.start_ns <= $last_ns::ubigint
           and s.position = p.position and s.operation_id = p.operation_id
join step l on l.run_id = $run_id and l.start_ns >= $start_ns::ubigint and l.start_ns <= $last_ns::ubigint
           and l.span_id = p.last_span_id and l.operation_id = p.operation_id
left join operation o on o.run_id = $run_id and o.start_ns >= $start_ns::ubigint and o.start_ns <= $last_ns::ubigint
                     and o.operation_id = p.operation_id
left join fault f on f.trace_id = l.trace_id and f.span_id = l.span_id
left join hashed i on i.trace_id = s.trace_id and i.span_id = s.span_id
left join hashed h on h.trace_id = l.trace_id and h.span_id = l.span_id
order by p.position
