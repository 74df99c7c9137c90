-- operation: one logical piece of work a parent asked for; it has 1..n attempts. One row per operation.
create table store.operation (
    run_id         varchar not null,
    trace_id       varchar not null,
    operation_id   varchar not null,                -- span id of its first attempt
    parent_span_id varchar,
    depth          integer not null,
    kind           varchar not null,
    name           varchar not null,
    chain_step     varchar,
    tool           varchar,
    model          varchar,
    start_ns       ubigint not null,
    end_ns         ubigint,
    outcome        varchar not null,                -- ok, recovered, failed
    first_try_ok   boolean not null,
    attempts       integer not null,
    evidence       varchar not null,                -- what the count rests on: event, siblings, nested, http, resend_count; single: one try; unseen: one is seen, the client may hide more
    rule_version   integer not null,
    is_redo        boolean not null                 -- does again what a check rejected, or what had failed before other steps ran
);
