-- span: one OTLP span as received, and beside it what its dialect says. One row per (trace_id, span_id).
-- No index and no key: an index makes deletes 150 times slower; the writer keeps the pair unique.
-- Column order is the field order of schemas.records.Span and Normalised.
-- JSON columns are varchar here and json in the view: DuckDB would parse each on the way in (2 µs a span). zstd is named
-- because trying all other compressions on them costs 7 µs a span at each checkpoint and gives files four times as large.
create table store.span (
    trace_id                 varchar not null,      -- 32 lower-case hex digits
    span_id                  varchar not null,      -- 16 lower-case hex digits
    parent_span_id           varchar,
    trace_state              varchar not null,
    flags                    uinteger not null,
    name                     varchar not null,
    kind                     integer not null,      -- OTLP numbers; an unknown one is kept
    start_ns                 ubigint not null,
    end_ns                   ubigint not null,      -- 0: not ended
    status_code              integer not null,
    status_message           varchar not null,
    attributes               varchar not null using compression zstd,  -- plain JSON; what JSON cannot say stays as OTLP/JSON does: {"bytesValue":…}, {"doubleValue":"NaN"}
    dropped_attributes_count uinteger not null,
    events                   varchar using compression zstd,  -- [{time_ns, name, attributes, dropped_attributes_count}]; NULL: none
    dropped_events_count     uinteger not null,
    links                    varchar using compression zstd,  -- [{trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags}]; NULL: none
    dropped_links_count      uinteger not null,
    truncated                boolean not null,      -- cut to our own limits: a value, or how many attributes, events, links
    resource_id              ubigint not null,
    scope_id                 ubigint not null,
    -- normalised
    dialect                  varchar not null,
    framework                varchar,
    step_kind                varchar not null,
    step_name                varchar not null,
    workflow                 varchar,
    workflow_version         varchar,
    agent                    varchar,
    model                    varchar,
    provider                 varchar,
    tool                     varchar,
    tool_call_id             varchar,
    tools_offered            integer,               -- by an agent's own word, the tool that ends its work apart
    session_id               varchar,
    environment              varchar,
    service                  varchar,
    input_key                varchar,
    output_key               varchar,
    input_hash               ubigint,
    output_hash              ubigint,
    output_kind              varchar,
    tokens_input             bigint,                -- own, never the parent's sum; NULL: not said
    tokens_output            bigint,
    tokens_cached            bigint,
    tokens_reasoning         bigint,
    tokens_are_sum           boolean not null,
    cost_usd                 double,
    response_id              varchar,
    finish_reason            varchar,
    failed                   boolean not null,
    interrupted              boolean not null,
    error_type               varchar,
    error_message            varchar,
    in_band_error            varchar,
    collateral               boolean not null,
    resend_count             integer,
    attempt                  integer,
    visit_key                varchar,
    run_key                  varchar,
    prompt_version           varchar,
    gaps                     varchar[],             -- NULL: nothing was missing
    -- receiving
    received_ns              ubigint not null,      -- when its batch was written; never goes back, equal for a whole batch
    -- since schema 2, and so after all others
    evaluations              varchar                -- normalised: JSON list of schemas.records.Evaluation; NULL: none
);
