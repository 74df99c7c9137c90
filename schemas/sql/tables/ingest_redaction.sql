-- ingest_redaction: what was taken out of spans and log records before they were stored. One row per minute and rule.
create table store.ingest_redaction (
    minute_ns ubigint not null,
    rule      varchar not null,                     -- keys, content, or the name of a pattern
    texts     bigint not null,                      -- values that were dropped, or texts in which something was replaced
    primary key (minute_ns, rule)
);
