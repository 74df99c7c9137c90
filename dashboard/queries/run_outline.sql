-- run_outline: the shape of one run's step tree. One row per step in reading order, parents first: place 0, 1, 2 …
-- `depth` says what lies below what. `first_at` is the place of the first try where several steps try one operation.
--   $run_id varchar
-- Measured at 1 million steps: 0.3 s, 2 threads; 14 MB.
with again as (
    select operation_id, min(position) as first_at
    from step
    where run_id = $run_id
      and operation_id in (select operation_id from step where run_id = $run_id and attempt > 1)
    group by operation_id
)
select s.depth, s.status = 'failed' as failed, s.status <> 'ok' or s.in_band_error is not null as troubled, a.first_at
from step s
left join again a using (operation_id)
where s.run_id = $run_id
order by s.position
