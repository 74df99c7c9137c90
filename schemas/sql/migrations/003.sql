-- 003: from schema 2 to 3. What retention removed, and what redaction took out.
create table store.removed_trace (
    trace_id varchar not null,
    run_id varchar,
    reason varchar not null,
    days integer[] not null,
    removed_ns ubigint not null
);
create table store.removal (
    minute_ns ubigint not null,
    reason varchar not null,
    runs bigint not null,
    spans bigint not null,
    records bigint not null,
    bytes bigint not null,
    primary key (minute_ns, reason)
);
create table store.ingest_redaction (
    minute_ns ubigint not null,
    rule varchar not null,
    texts bigint not null,
    primary key (minute_ns, rule)
);
