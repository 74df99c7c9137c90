-- ingest_refusal: whole requests that were answered with an error. One row per minute and reason.
create table store.ingest_refusal (
    minute_ns ubigint not null,
    reason    varchar not null,                     -- malformed, too_large, busy, unauthenticated, …
    requests  bigint not null,
    primary key (minute_ns, reason)
);
