-- ingest_source: who sent spans of what kind. One row per (minute, service, scope, dialect, framework); minutes that are over. What
-- was received since the last of them is in span alone. A span that is sent again with other content counts again.
create table store.ingest_source (
    minute_ns       ubigint not null,
    service         varchar,
    scope_name      varchar,
    scope_version   varchar,
    dialect         varchar not null,
    framework       varchar,
    spans           bigint not null,
    spans_with_gaps bigint not null,                -- that lack something their dialect should say
    last_ns         ubigint not null                -- when the last of them was received
);
