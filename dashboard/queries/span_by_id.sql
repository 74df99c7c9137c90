-- span_by_id: one span with everything it holds. At most one row.
--   $trace_ids                             varchar[], those of its run
--   $span_id                               varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when the spans of its run came
select *
from span
where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
  and trace_id in (select unnest($trace_ids::varchar[])) and span_id = $span_id
order by trace_id
limit 1
