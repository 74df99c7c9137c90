-- Gives runs the words of their steps, as settling does.
create temp table kept as from store.run;

truncate store.run;

insert into store.run by name
with word as (
    select run_id, lower(workflow) as word from kept
    union
    select run_id, lower(failing_step) from kept where failing_step is not null
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
    select run_id, string_agg(word, chr(10) order by word) as words from word group by run_id
)
select kept.* replace (told.words as words) from kept join told using (run_id) order by kept.start_ns;

drop table kept;
