-- session_neighbours: the runs before and after a run in its session, and the one that it went on with after a wait. At most
-- three rows, `place` (before, after, continued) says which.
--   $session_id varchar
--   $start_ns   bigint
--   $run_id, $workflow varchar, the run itself
with beside as materialized (select run_id, workflow, outcome, start_ns from run where session_id = $session_id and run_id <> $run_id)
(select 'before' as place, run_id, outcome, start_ns
 from beside where start_ns <= $start_ns::ubigint
 order by start_ns desc, run_id desc limit 1)
union all
(select 'after' as place, run_id, outcome, start_ns
 from beside where start_ns > $start_ns::ubigint
 order by start_ns, run_id limit 1)
union all   -- as in the view `continuation`, which goes through all runs
(select 'continued' as place, run_id, outcome, start_ns
 from beside where start_ns < $start_ns::ubigint and outcome = 'pending' and workflow = $workflow
 order by start_ns desc, run_id limit 1)
order by place desc
