-- 007: from schema 6 to 7. Of the root occurrences of a run one stands for the run, one for each code, one for each step. Runs may hold the words
-- of their steps; those that are there hold none, and are searched by their steps: to gather the words of all takes more memory than a store has.
alter table store.failure add column last_of_run boolean default false;
alter table store.failure alter column last_of_run set not null;
alter table store.failure alter column last_of_run drop default;
alter table store.failure add column last_of_code boolean default false;
alter table store.failure alter column last_of_code set not null;
alter table store.failure alter column last_of_code drop default;
alter table store.failure add column last_of_step boolean default false;
alter table store.failure alter column last_of_step set not null;
alter table store.failure alter column last_of_step drop default;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 0
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 1
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 2
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 3
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 4
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 5
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 6
) ranked
where failure.rowid = ranked.place;
update store.failure
set last_of_run = of_run = 1, last_of_code = of_code = 1, last_of_step = of_step = 1
from (
    select rowid as place,
           row_number() over (partition by run_id, certainty order by at_ns desc, span_id desc, rowid) as of_run,
           row_number() over (partition by run_id, certainty, code order by at_ns desc, span_id desc, rowid) as of_code,
           row_number() over (partition by run_id, certainty, step, layer_a, layer_b order by at_ns desc, span_id desc, rowid) as of_step
    from store.failure
    where role = 'root' and hash(run_id) % 8 = 7
) ranked
where failure.rowid = ranked.place;
alter table store.run add column words varchar;
