-- step: one execution of a named unit of a workflow. One row per span that is a step; stripped spans have none.
create table store.step (
    run_id         varchar not null,
    trace_id       varchar not null,
    span_id        varchar not null,
    parent_span_id varchar,                         -- nearest step above, NULL at depth 1 (not the OTLP parent)
    depth          integer not null,                -- 1: the chain a user drew
    position       integer not null,                -- 0, 1, 2 … in reading order: parents first, siblings by start
    kind           varchar not null,                -- schemas.taxonomy.StepKind
    name           varchar not null,
    chain_step     varchar,                         -- name of the depth-1 step it is or lies in
    agent          varchar,
    model          varchar,
    provider       varchar,
    tool           varchar,
    start_ns       ubigint not null,
    end_ns         ubigint,                         -- NULL: open
    self_ns        ubigint not null,                -- own time not covered by steps below
    status         varchar not null,                -- schemas.taxonomy.StepStatus
    error_type     varchar,
    error_message  varchar,
    in_band_error  varchar,
    tokens_input   bigint,                          -- counted here: own, without twins
    tokens_output  bigint,
    cost_usd       double,
    visit          integer not null,                -- 1-based: which visit of this chain step in its run
    attempt        integer not null,                -- 1-based: which try of its operation
    operation_id   varchar not null,                -- span id of the operation's first attempt
    is_orphan      boolean not null,
    rule_version   integer not null,
    critical_ns    ubigint not null                 -- on the run's critical path with no step below it; adds up to the run's length
);
