-- rollup_call: operations of every depth by how often they were tried. Signed deltas, by the start of the operation.
-- Attempts are tries * operations.
create table store.rollup_call (
    level            utinyint not null,             -- 0: not folded yet, 1: 5 minutes
    bucket_ns        ubigint not null,              -- start of the operation, cut to the width of the level
    workflow         varchar not null,
    workflow_version varchar,
    environment      varchar,
    step             varchar,                       -- depth-1 step it is or lies in
    name             varchar not null,
    kind             varchar not null,
    tool             varchar,
    model            varchar,
    provider         varchar,
    tries            integer not null,
    operations       bigint not null,
    recovered        bigint not null,
    failed           bigint not null,
    wasted_ns        bigint not null,               -- tries that failed, and waiting for the next
    wasted_tokens    bigint not null,
    wasted_nano_usd  bigint not null
);
