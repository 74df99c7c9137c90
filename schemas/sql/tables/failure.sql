-- failure: one occurrence of a failure. A root occurrence explains; a propagated one points at it.
create table store.failure (
    run_id         varchar not null,
    trace_id       varchar not null,
    span_id        varchar not null,
    issuer_span_id varchar,
    root_span_id   varchar,                         -- the root occurrence a propagated one points at
    step           varchar,                         -- chain step
    code           varchar not null,
    layer_a        varchar not null,
    layer_b        varchar not null,
    certainty      varchar not null,                -- observed, inferred, judged
    severity       varchar not null,
    role           varchar not null,                -- root, propagated, collateral
    recovered      boolean not null,
    silent         boolean not null,
    "trigger"      varchar,
    evidence       varchar not null,
    error_type     varchar,
    at_ns          ubigint not null,
    rule_version   integer not null
);
