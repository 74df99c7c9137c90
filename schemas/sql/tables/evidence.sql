-- evidence: what was said of a span outside of it. One row per log record that is an evaluation result or an exception, and
-- per posted verdict; each counts as an event of its span, whether the span came before, comes later or never.
-- No index: the writer looks for the key of what it is about to store.
create table store.evidence (
    key                      ubigint not null,      -- the same log record, or the same judge and name, has the same key
    source                   varchar not null,      -- schemas.taxonomy.EvidenceSource: log, post
    trace_id                 varchar not null,
    span_id                  varchar,               -- NULL: about the run as a whole (posted verdicts only)
    time_ns                  ubigint not null,
    name                     varchar not null,      -- event name as sent
    attributes               varchar not null,      -- as in span; a posted verdict as gen_ai.evaluation.*
    dropped_attributes_count uinteger not null,
    body                     varchar,               -- JSON; the rest: log records only
    severity_number          integer not null,
    severity_text            varchar not null,
    observed_ns              ubigint not null,
    flags                    uinteger not null,
    truncated                boolean not null,      -- cut to our own limits
    resource_id              ubigint,
    scope_id                 ubigint,
    received_ns              ubigint not null
);
