-- run_steps: the steps of one run in reading order, parents first. One row per step.
-- `tries`, `evidence` and `is_redo` are those of the operation that the step is an attempt at.
--   $run_id varchar
select s.span_id, s.trace_id, s.parent_span_id, s.kind, s.name, s.start_ns, s.end_ns, s.self_ns, s.status, s.error_type,
       s.in_band_error is not null as in_band, s.attempt, s.is_orphan, s.critical_ns,
       o.attempts as tries, o.evidence, o.is_redo
from step s
left join operation o on o.run_id = s.run_id and o.operation_id = s.operation_id
where s.run_id = $run_id
order by s.position, s.span_id
