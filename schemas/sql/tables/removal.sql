-- removal: how much was removed. One row per minute and reason.
create table store.removal (
    minute_ns ubigint not null,
    reason    varchar not null,                     -- schemas.taxonomy.RemovalReason
    runs      bigint not null,
    spans     bigint not null,
    records   bigint not null,                      -- log records and posted verdicts
    bytes     bigint not null,                      -- of the spans' attributes, events and links, as text
    primary key (minute_ns, reason)
);
