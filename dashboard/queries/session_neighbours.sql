-- session_neighbours: the runs before and after a run in its session. At most two rows, `place` says which.
--   $session_id varchar
--   $start_ns   bigint
--   $run_id     varchar, the run itself
(select 'before' as place, run_id, outcome, start_ns
 from run where session_id = $session_id and run_id <> $run_id and start_ns <= $start_ns::ubigint
 order by start_ns desc, run_id desc limit 1)
union all
(select 'after' as place, run_id, outcome, start_ns
 from run where session_id = $session_id and run_id <> $run_id and start_ns > $start_ns::ubigint
 order by start_ns, run_id limit 1)
order by place desc
