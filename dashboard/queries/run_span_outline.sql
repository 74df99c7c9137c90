-- run_span_outline: the shape of one run's span tree, steps or not. One row per span by start: place 0, 1, 2 …
-- `parent_place` is the place of the parent; -1 where it is missing.
--   $run_id                                varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up off the rest of the store)
with member as materialized (
    select row_number() over (order by start_ns, span_id, trace_id) - 1 as place, trace_id, span_id, parent_span_id, failed, interrupted,
           end_ns, in_band_error
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and trace_id in (select trace_id from trace where run_id = $run_id
                       and first_received_ns >= $first_received_ns::ubigint and first_received_ns <= $last_received_ns::ubigint)
)
select coalesce(p.place, -1) as parent_place, m.failed, m.failed or m.interrupted or m.end_ns = 0 or m.in_band_error is not null as troubled
from member m
left join member p on p.trace_id = m.trace_id and p.span_id = m.parent_span_id
order by m.place
