-- export_failures: failures with the columns other programs rely on, a page at a time.
-- One row per failure, by time.
--   $after_ns, $after_trace, $after_id   position of the last row of the page before; 0, '', '' for the first
--   $limit                               bigint, rows of a page
select run_id, trace_id, span_id, issuer_span_id, step, code, layer_a, layer_b, certainty, severity, role, recovered,
       silent, "trigger", evidence, rule_version,
       at_ns as cursor_ns, trace_id as cursor_trace, span_id || '/' || code as cursor_id
from failure
where at_ns >= $after_ns
  and (at_ns > $after_ns or trace_id > $after_trace
       or (trace_id = $after_trace and span_id || '/' || code > $after_id))
order by cursor_ns, cursor_trace, cursor_id
limit $limit
