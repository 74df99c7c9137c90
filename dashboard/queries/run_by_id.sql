-- run_by_id: one run, found by its id or by the id of any trace of it. At most one row.
--   $id varchar, 32 lower-case hex digits
with asked as (select $id as run_id union all select run_id from trace where trace_id = $id and run_id is not null)
select r.*, t.first_received_ns, c.continues_run_id
from run r
left join (select run_id, min(first_received_ns) as first_received_ns
           from trace where run_id in (select run_id from asked) group by run_id) t using (run_id)
left join continuation c using (run_id)
where r.run_id in (select run_id from asked)
order by r.run_id = $id desc, r.run_id
limit 1
