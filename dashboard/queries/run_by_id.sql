-- run_by_id: one run. At most one row.
--   $id varchar, 32 lower-case hex digits
-- `first_received_ns` and `last_received_ns` say when its spans came, `start_ns` and `last_step_ns` between which its steps
-- began (NULL: it has none): bounds that keep questions about it off the rest of the store. `roots`: failures that explain.
with this as materialized (select * from run where run_id = $id)
select *, (select min(first_received_ns) from trace where run_id = $id) as first_received_ns,
       (select max(start_ns) from step where run_id = $id and start_ns >= (select start_ns from this)) as last_step_ns,
       (select count(*) from failure
        where run_id = $id and run_start_ns = (select start_ns from this) and role = 'root') as roots
from this
