-- 007: from schema 6 to 7. Of the root occurrences of a run one stands for the run, one for each code, one for each step. A run holds the words
-- of its steps; written anew: to update each run takes twice as long.
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
alter table store.run rename to run_before;
create table store.run (
    run_id varchar not null using compression uncompressed,
    root_trace_id varchar not null,
    root_span_id varchar,
    trace_ids varchar[] not null,
    workflow varchar not null,
    workflow_version varchar,
    service varchar,
    environment varchar,
    framework varchar,
    session_id varchar,
    start_ns ubigint not null,
    end_ns ubigint,
    outcome varchar not null,
    verdict varchar,
    code varchar,
    layer_a varchar,
    layer_b varchar,
    failing_step varchar,
    origin_span_id varchar,
    chain varchar[] not null,
    spans integer not null,
    steps integer not null,
    operations integer not null,
    attempts integer not null,
    error_spans integer not null,
    orphans integer not null,
    gaps integer not null,
    tokens_input bigint,
    tokens_output bigint,
    cost_usd double,
    last_received_ns ubigint not null,
    rule_version integer not null,
    words varchar
);
insert into store.run
with word as (
    select run_id, lower(workflow) as word from store.run_before
    union
    select run_id, lower(failing_step) from store.run_before where failing_step is not null
    union
    select run_id, lower(name) from store.step
    union
    select run_id, lower(error_type) from store.step where error_type is not null
    union
    select run_id, lower(error_message) from store.step where error_message is not null
    union
    select run_id, lower(in_band_error) from store.step where in_band_error is not null
),
told as (
    select run_id, string_agg(word, chr(10) order by word) as words
    from word
    group by run_id
    having sum(length(word) + 1) <= 8192
)
select r.*, told.words
from store.run_before r left join told using (run_id)
order by r.start_ns;
drop table store.run_before;
