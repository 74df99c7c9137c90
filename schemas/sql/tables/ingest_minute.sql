-- ingest_minute: what was received, counted in the same transaction as the spans. One row per COMMIT of the present minute
-- (an upsert would cost 3 ms a COMMIT); the first COMMIT of the next minute folds them into one row per minute.
create table store.ingest_minute (
    minute_ns ubigint not null,
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
