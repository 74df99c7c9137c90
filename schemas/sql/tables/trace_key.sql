-- trace_key: what joins traces into one run. One row per (key, trace).
-- A framework that shatters a run over traces gives `run:<key>` (AutoGen's team, an n8n execution).
-- A trace that is only a client library's model call gives `stray`, with what is needed to find its run.
create table store.trace_key (
    key         varchar not null,
    trace_id    varchar not null,
    resource_id ubigint,                            -- the rest: strays only
    response_id varchar,
    start_ns    ubigint,
    end_ns      ubigint
);
