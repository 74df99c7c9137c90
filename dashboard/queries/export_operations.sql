-- export_operations: every operation, a page at a time.
-- One row per operation, by start.
--   $after_ns, $after_trace, $after_id   position of the last row of the page before; 0, '', '' for the first
--   $limit                               bigint, rows of a page
select *, start_ns as cursor_ns, trace_id as cursor_trace, operation_id as cursor_id
from operation
where start_ns >= $after_ns
  and (start_ns > $after_ns or trace_id > $after_trace or (trace_id = $after_trace and operation_id > $after_id))
order by cursor_ns, cursor_trace, cursor_id
limit $limit
