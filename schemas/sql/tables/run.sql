-- run: one execution of a workflow. One row per run, replaced whole when it is settled again.
create table store.run (
    run_id           varchar not null using compression uncompressed,  -- trace id of the run's root; looked for five times faster than packed
    root_trace_id    varchar not null,
    root_span_id     varchar,                       -- NULL: no span covers the run
    trace_ids        varchar[] not null,            -- in start order
    workflow         varchar not null,
    workflow_version varchar,
    service          varchar,
    environment      varchar,
    framework        varchar,
    session_id       varchar,
    start_ns         ubigint not null,
    end_ns           ubigint,                       -- NULL: open
    outcome          varchar not null,              -- schemas.taxonomy.Outcome
    verdict          varchar,                       -- pass, fail; NULL: nobody judged
    code             varchar,                       -- of the primary failure
    layer_a          varchar,
    layer_b          varchar,
    failing_step     varchar,                       -- depth-1 step
    origin_span_id   varchar,
    chain            varchar[] not null,            -- depth-1 step names as executed
    spans            integer not null,
    steps            integer not null,
    operations       integer not null,
    attempts         integer not null,
    error_spans      integer not null,
    orphans          integer not null,              -- spans whose parent never arrived
    gaps             integer not null,              -- dialect gaps over all its spans
    tokens_input     bigint,                        -- each model response once; NULL: no span carries counts
    tokens_output    bigint,
    cost_usd         double,
    last_received_ns ubigint not null,
    rule_version     integer not null,
    words            varchar                        -- since schema 7: what a search looks through, in lower case, a line each: workflow,
                                                    -- failing step, names and errors of all steps; NULL: too much, or from before: look through them
);
