-- runs_by_prefix: runs whose id starts so. One row per run, newest first, at most 2: enough to tell one from many.
--   $prefix varchar, lower-case hex digits
select run_id, start_ns
from run
where starts_with(run_id, $prefix)
order by start_ns desc, run_id
limit 2
