-- run_places: where some steps of one run stand in reading order. One row per step.
--   $run_id             varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
--   $span_ids           varchar[]
select span_id, position as place
from step
where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
  and span_id in (select unnest($span_ids::varchar[]))
order by position, span_id
