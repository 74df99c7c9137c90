-- ingest_minute: what was received. One row per minute of receiving, counted in the same transaction as the spans.
create table store.ingest_minute (
    minute_ns ubigint primary key,
    received  bigint not null,                      -- spans; received = stored + duplicate + rejected, always
    stored    bigint not null,
    duplicate bigint not null,                      -- a span that was there already
    conflict  bigint not null,                      -- of the duplicates: same id, other content
    rejected  bigint not null,
    truncated bigint not null,                      -- of the stored: a value was cut to the size limit
    late      bigint not null,                      -- of the stored: arrived after its run had been settled
    requests  bigint not null,
    bytes     bigint not null                       -- after inflation
);
