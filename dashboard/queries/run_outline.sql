-- run_outline: the shape of one run's step tree. One row per step in reading order, parents first: place 0, 1, 2 …
-- `depth` says what lies below what; `first_place` is the place of the first try of the operation that a step is a try of.
--   $run_id             varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
-- Measured at 1 million steps: 0.2 s, 2 threads; 9 MB.
with member as not materialized (
    select * from step where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
),
again as (
    select operation_id, min(position) as first_place
    from member
    where operation_id in (select operation_id from member where attempt > 1)
    group by operation_id
)
select s.depth, s.status = 'failed' as failed, s.status <> 'ok' or s.in_band_error is not null as troubled, coalesce(a.first_place, s.position) as first_place
from member s
left join again a using (operation_id)
order by s.position
