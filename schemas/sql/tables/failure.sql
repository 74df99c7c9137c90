-- failure: one occurrence of a failure. A root occurrence explains; a propagated one points at it.
create table store.failure (
    run_id         varchar not null,
    trace_id       varchar not null,
    span_id        varchar not null,
    issuer_span_id varchar,                         -- the model call that produced what failed
    root_span_id   varchar,                         -- the root occurrence a propagated one points at
    step           varchar,                         -- chain step
    code           varchar not null,
    layer_a        varchar not null,
    layer_b        varchar not null,
    certainty      varchar not null,                -- observed, inferred, judged
    severity       varchar not null,
    role           varchar not null,                -- root, propagated, collateral; codes are counted over roots
    recovered      boolean not null,
    silent         boolean not null,
    "trigger"      varchar,                         -- code of what set it off, where the code is about recovery
    contributing   varchar[] not null,              -- other codes that fit, strongest first
    evidence       varchar not null,
    error_type     varchar,
    at_ns          ubigint not null,
    rule_id        varchar,                         -- code/name of the rule; NULL: no rule fits
    rule_version   integer not null,
    scope_id       ubigint,                         -- of its span; NULL: settled before this was kept
    -- since schema 4: whose it is, so that counting failures reads neither run nor step
    workflow         varchar not null,              -- of its run, like the next three
    workflow_version varchar,
    environment      varchar,
    run_start_ns     ubigint not null,
    kind             varchar,                       -- of its step; NULL: its span is none
    lost_ns          ubigint,                       -- how long its step took; NULL: none, it did not fail or did not end
    -- since schema 7: of the root occurrences of a run and a certainty, the last …: as late as any, it lies in whatever part of time holds
    -- one of them, so that runs are counted without their ids
    last_of_run     boolean not null,
    last_of_code    boolean not null,              -- … of its code
    last_of_step    boolean not null               -- … of its step and layers
);
