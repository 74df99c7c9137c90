-- ingest_log: what became of log records. One row per minute and fate: stored, duplicate, or why it was rejected.
create table store.ingest_log (
    minute_ns ubigint not null,
    fate      varchar not null,                     -- stored, duplicate, or schemas.taxonomy.RejectReason
    records   bigint not null,
    primary key (minute_ns, fate)
);
