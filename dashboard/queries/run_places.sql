-- run_places: where some steps of one run stand in reading order. One row per step.
--   $run_id   varchar
--   $span_ids varchar[]
select span_id, position as place
from step
where run_id = $run_id and span_id in (select unnest($span_ids::varchar[]))
order by position, span_id
