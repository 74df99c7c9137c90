-- run: one execution of a workflow, with its length.
create or replace view run as
select *, case when end_ns >= start_ns then end_ns - start_ns end as duration_ns   -- NULL: open, or clocks disagree
from store.run;
