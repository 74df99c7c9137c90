-- run_spans: every span of one run, steps or not, by start. One row per span.
--   $run_id                          varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up off the rest of the store)
select s.span_id, s.trace_id, s.parent_span_id, s.step_kind as kind, s.name, s.start_ns, nullif(s.end_ns, 0) as end_ns, 0::ubigint as self_ns,
       case when s.failed then 'failed' when s.interrupted then 'pending' when s.end_ns = 0 then 'open' else 'ok' end as status,
       s.error_type, s.in_band_error is not null as in_band, 1 as attempt, false as is_orphan
from span s
where s.received_ns >= $first_received_ns::ubigint and s.received_ns <= $last_received_ns::ubigint
  and s.trace_id in (select trace_id from trace where run_id = $run_id)
order by s.start_ns, s.span_id
