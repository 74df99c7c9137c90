-- run_steps: the steps of one run in reading order, parents first. One row per step.
--   $run_id varchar
select span_id, trace_id, parent_span_id, kind, name, start_ns, end_ns, self_ns, status, error_type, in_band_error is not null as in_band,
       attempt, is_orphan, critical_ns
from step
where run_id = $run_id
order by position, span_id
