-- 007: from schema 6 to 7. Of the root occurrences of a run one stands for the run, one for each code, one for each step.
alter table store.failure add column first_of_run boolean default false;
alter table store.failure alter column first_of_run set not null;
alter table store.failure alter column first_of_run drop default;
alter table store.failure add column first_of_code boolean default false;
alter table store.failure alter column first_of_code set not null;
alter table store.failure alter column first_of_code drop default;
alter table store.failure add column first_of_step boolean default false;
alter table store.failure alter column first_of_step set not null;
alter table store.failure alter column first_of_step drop default;
update store.failure
set first_of_run = of_run = 1, first_of_code = of_code = 1, first_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns, span_id, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns, span_id, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns, span_id, rowid) as of_step
    from store.failure
    where role = 'root'
) ranked
where failure.rowid = ranked.place;
