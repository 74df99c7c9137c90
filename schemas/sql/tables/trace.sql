-- trace: which run a trace belongs to. One row per trace id that has been settled.
create table store.trace (
    trace_id          varchar not null,
    run_id            varchar,                      -- NULL: holds no run of its own (set-up only)
    spans             integer not null,             -- spans it had when it was settled
    first_received_ns ubigint not null,             -- lower bound for a look into span
    last_received_ns  ubigint not null
);
