-- run_span_places: where some spans of one run, steps or not, stand by start. One row per span.
--   $run_id                                varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up off the rest of the store)
--   $span_ids                              varchar[]
select span_id, place
from (
    select span_id, row_number() over (order by start_ns, span_id, trace_id) - 1 as place
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and trace_id in (select trace_id from trace where run_id = $run_id
                       and first_received_ns >= $first_received_ns::ubigint and first_received_ns <= $last_received_ns::ubigint)
)
where span_id in (select unnest($span_ids::varchar[]))
order by place
