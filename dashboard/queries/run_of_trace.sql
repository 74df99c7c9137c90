-- run_of_trace: the run that a trace belongs to. At most one row.
--   $trace_id varchar, 32 lower-case hex digits
select run_id from trace where trace_id = $trace_id and run_id is not null limit 1
