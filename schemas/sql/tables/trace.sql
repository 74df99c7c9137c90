-- trace: which run a trace belongs to. One row per trace id that has been settled.
create table store.trace (
    trace_id          varchar not null using compression uncompressed,  -- looked for five times faster than packed
    run_id            varchar using compression uncompressed,  -- NULL: holds no run of its own (set-up only)
    spans             integer not null,             -- spans it had when it was settled
    first_received_ns ubigint not null,             -- lower bound for a look into span
    last_received_ns  ubigint not null
);
