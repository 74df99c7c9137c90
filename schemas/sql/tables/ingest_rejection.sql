-- ingest_rejection: why spans of good requests were not stored. One row per minute and reason.
create table store.ingest_rejection (
    minute_ns ubigint not null,
    reason    varchar not null,                     -- schemas.taxonomy.RejectReason
    spans     bigint not null,
    primary key (minute_ns, reason)
);
