-- 006: from schema 5 to 6. Roll-ups by the hour and by the day stand in tables of their own: read without those by 5 minutes.
-- Written anew: to delete millions of rows takes more memory than a store has.
alter table store.rollup_run rename to rollup_run_mixed;
create table store.rollup_run (
    level utinyint not null,
    bucket_ns ubigint not null,
    workflow varchar not null,
    workflow_version varchar,
    environment varchar,
    outcome varchar not null,
    verdict varchar,
    layer_a varchar,
    layer_b varchar,
    code varchar,
    failing_step varchar,
    runs bigint not null,
    rescued bigint not null,
    operations bigint not null,
    attempts bigint not null,
    tokens_input bigint not null,
    tokens_output bigint not null,
    cost_nano_usd bigint not null,
    duration_ns bigint not null,
    model_ns bigint not null,
    tool_ns bigint not null,
    retrieval_ns bigint not null,
    critical_wasted_ns bigint not null
);
insert into store.rollup_run from store.rollup_run_mixed where level <= 1;
create table store.rollup_run_hour as select * exclude (level) from store.rollup_run_mixed where level = 2;
create table store.rollup_run_day as select * exclude (level) from store.rollup_run_mixed where level = 3;
drop table store.rollup_run_mixed;
alter table store.rollup_step rename to rollup_step_mixed;
create table store.rollup_step (
    level utinyint not null,
    bucket_ns ubigint not null,
    workflow varchar not null,
    workflow_version varchar,
    environment varchar,
    scope varchar not null,
    node varchar not null,
    step varchar not null,
    kind varchar not null,
    operations bigint not null,
    first_good bigint not null,
    good bigint not null,
    trials bigint not null,
    trials_first_good bigint not null,
    trials_good bigint not null,
    attempts bigint not null,
    runs bigint not null,
    self_ns bigint not null,
    duration_ns bigint not null,
    wasted_ns bigint not null,
    critical_ns bigint not null,
    critical_runs bigint not null,
    model_ns bigint not null,
    tool_ns bigint not null,
    retrieval_ns bigint not null,
    critical_wasted_ns bigint not null,
    tokens_input bigint not null,
    tokens_output bigint not null,
    cost_nano_usd bigint not null
);
insert into store.rollup_step from store.rollup_step_mixed where level <= 1;
create table store.rollup_step_hour as select * exclude (level) from store.rollup_step_mixed where level = 2;
create table store.rollup_step_day as select * exclude (level) from store.rollup_step_mixed where level = 3;
drop table store.rollup_step_mixed;
alter table store.rollup_edge rename to rollup_edge_mixed;
create table store.rollup_edge (
    level utinyint not null,
    bucket_ns ubigint not null,
    workflow varchar not null,
    workflow_version varchar,
    environment varchar,
    scope varchar not null,
    from_node varchar,
    to_node varchar,
    exit varchar,
    transitions bigint not null
);
insert into store.rollup_edge from store.rollup_edge_mixed where level <= 1;
create table store.rollup_edge_hour as select * exclude (level) from store.rollup_edge_mixed where level = 2;
create table store.rollup_edge_day as select * exclude (level) from store.rollup_edge_mixed where level = 3;
drop table store.rollup_edge_mixed;
alter table store.rollup_latency rename to rollup_latency_mixed;
create table store.rollup_latency (
    level utinyint not null,
    bucket_ns ubigint not null,
    workflow varchar not null,
    workflow_version varchar,
    environment varchar,
    scope varchar not null,
    step varchar,
    octave_8 integer not null,
    observations bigint not null
);
insert into store.rollup_latency from store.rollup_latency_mixed where level <= 1;
create table store.rollup_latency_hour as select * exclude (level) from store.rollup_latency_mixed where level = 2;
create table store.rollup_latency_day as select * exclude (level) from store.rollup_latency_mixed where level = 3;
drop table store.rollup_latency_mixed;
alter table store.rollup_call rename to rollup_call_mixed;
create table store.rollup_call (
    level utinyint not null,
    bucket_ns ubigint not null,
    workflow varchar not null,
    workflow_version varchar,
    environment varchar,
    step varchar,
    name varchar not null,
    kind varchar not null,
    tool varchar,
    model varchar,
    provider varchar,
    tries integer not null,
    operations bigint not null,
    recovered bigint not null,
    failed bigint not null,
    wasted_ns bigint not null,
    wasted_tokens bigint not null,
    wasted_nano_usd bigint not null
);
insert into store.rollup_call from store.rollup_call_mixed where level <= 1;
create table store.rollup_call_hour as select * exclude (level) from store.rollup_call_mixed where level = 2;
create table store.rollup_call_day as select * exclude (level) from store.rollup_call_mixed where level = 3;
drop table store.rollup_call_mixed;
alter table store.rollup_failure rename to rollup_failure_mixed;
create table store.rollup_failure (
    level utinyint not null,
    bucket_ns ubigint not null,
    workflow varchar not null,
    workflow_version varchar,
    environment varchar,
    step varchar,
    code varchar not null,
    layer_a varchar not null,
    layer_b varchar not null,
    certainty varchar not null,
    severity varchar not null,
    recovered boolean not null,
    silent boolean not null,
    failures bigint not null,
    runs bigint not null
);
insert into store.rollup_failure from store.rollup_failure_mixed where level <= 1;
create table store.rollup_failure_hour as select * exclude (level) from store.rollup_failure_mixed where level = 2;
create table store.rollup_failure_day as select * exclude (level) from store.rollup_failure_mixed where level = 3;
drop table store.rollup_failure_mixed;
