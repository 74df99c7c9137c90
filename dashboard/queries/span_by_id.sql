-- span_by_id: one span with everything it holds. At most one row.
--   $trace_id, $span_id                    varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when the spans of its run came
select *
from span
where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
  and trace_id = $trace_id and span_id = $span_id
limit 1
