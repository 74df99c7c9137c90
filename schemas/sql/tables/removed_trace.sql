-- removed_trace: what retention, or someone's wish, took away. One row per trace id; what still comes for it is rejected.
-- Goes when its roll-ups go: until then it says which days of the roll-ups cannot be made anew from runs.
create table store.removed_trace (
    trace_id   varchar not null,
    run_id     varchar,                             -- NULL: it held no run
    reason     varchar not null,                    -- schemas.taxonomy.RemovalReason: age, size, asked
    days       integer[] not null,                  -- days since 1970 (UTC) whose roll-ups count its run
    removed_ns ubigint not null
);
