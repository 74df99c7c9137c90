-- run_removed: when and why a run was removed, found by the id of any trace of it. At most one row.
--   $id varchar, 32 lower-case hex digits
select removed_ns, reason
from removed_trace
where trace_id = $id
order by removed_ns desc
limit 1
