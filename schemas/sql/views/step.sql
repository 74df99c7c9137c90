-- step: one execution of a named unit, with its length.
create or replace view step as
select *, case when end_ns >= start_ns then end_ns - start_ns end as duration_ns
from store.step;
