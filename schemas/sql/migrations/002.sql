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
