-- 002: from schema 1 to 2. Runs in one transaction; a migrated store has the layout of a new one, columns in the same order.
-- What stands here is never edited once a release has it: tables/*.sql say how a table looks now, this how it came to.
alter table store.span add column evaluations varchar;
-- Verdicts, what log records say of spans, markers.
create table store.verdict (
    run_id varchar not null,
    trace_id varchar not null,
    span_id varchar,
    judge_span_id varchar,
    name varchar not null,
    verdict varchar,
    score double,
    label varchar,
    explanation varchar,
    source varchar not null,
    decides boolean not null,
    at_ns ubigint not null,
    rule_version integer not null
);
create table store.evidence (
    key ubigint not null,
    source varchar not null,
    trace_id varchar not null,
    span_id varchar,
    time_ns ubigint not null,
    name varchar not null,
    attributes varchar not null,
    dropped_attributes_count uinteger not null,
    body varchar,
    severity_number integer not null,
    severity_text varchar not null,
    observed_ns ubigint not null,
    flags uinteger not null,
    truncated boolean not null,
    resource_id ubigint,
    scope_id ubigint,
    received_ns ubigint not null
);
create table store.marker (
    at_ns ubigint not null,
    workflow varchar,
    kind varchar not null,
    label varchar not null,
    received_ns ubigint not null
);
create table store.ingest_log (
    minute_ns ubigint not null,
    fate varchar not null,
    records bigint not null,
    primary key (minute_ns, fate)
);
-- Redone work is counted apart from retries; the backlog of unclassified failures says whose spans they are.
alter table store.operation add column is_redo boolean default false;
alter table store.operation alter column is_redo set not null;
alter table store.operation alter column is_redo drop default;
alter table store.failure add column scope_id ubigint;
-- Time on the critical path; runs that are there get theirs when the present rules settle them again.
alter table store.step add column critical_ns ubigint default 0;
alter table store.step alter column critical_ns set not null;
alter table store.step alter column critical_ns drop default;
-- Roll-ups; the collector fills them from the runs that are there.
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
