-- run_origin: the step that a run's failure began in. At most one row.
--   $run_id, $span_id varchar
select span_id, trace_id, kind, name, chain_step, error_type, error_message, in_band_error, attempt, duration_ns
from step
where run_id = $run_id and span_id = $span_id
order by trace_id
limit 1
