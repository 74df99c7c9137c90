-- run_lines: some steps of one run. One row per step; `place` is its place in reading order.
-- `tries`, `evidence`, `is_redo` and `operation_outcome` are those of the operation that the step is a try of; `role`,
-- `recovered` and `silent` those of its failure, a root one before a propagated one before collateral damage.
--   $run_id             varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
--   $places             integer[], places in reading order
with wanted as materialized (
    select *
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and position in (select unnest($places::integer[]))
),
fault as (
    select trace_id, span_id, arg_min((role, recovered, silent, severity), (role <> 'root', role = 'collateral', recovered, code)) as f
    from failure
    where run_id = $run_id and run_start_ns = $start_ns::ubigint and (trace_id, span_id) in (select (trace_id, span_id) from wanted)
    group by trace_id, span_id
)
select s.position as place, s.span_id, s.trace_id, s.parent_span_id, s.kind, s.name, s.start_ns, s.end_ns, s.self_ns, s.status,
       s.error_type, s.in_band_error is not null as in_band, s.attempt, s.is_orphan, s.critical_ns, s.operation_id,
       o.attempts as tries, o.evidence, o.is_redo, o.outcome as operation_outcome,
       t.f[1] as role, t.f[2] as recovered, t.f[3] as silent, t.f[4] as severity
from wanted s
left join operation o on o.run_id = $run_id and o.start_ns >= $start_ns::ubigint and o.start_ns <= $last_ns::ubigint
                      and o.operation_id = s.operation_id
left join fault t on t.trace_id = s.trace_id and t.span_id = s.span_id
order by s.position, s.span_id
