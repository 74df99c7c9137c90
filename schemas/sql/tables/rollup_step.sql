-- rollup_step: how the steps of a chain did. Sums of signed deltas over the runs that began in a bucket.
-- Operations that wait or never ended are not counted.
create table store.rollup_step (
    level            utinyint not null,             -- 0: not folded yet, 1: 5 minutes
    bucket_ns        ubigint not null,              -- start of the run, cut to 5 minutes
    workflow         varchar not null,
    workflow_version varchar,
    environment      varchar,
    scope            varchar not null,              -- '': depth 1; else the names of the steps that were opened, joined by ' › '
    node             varchar not null,              -- the step; 'a ‖ b' for steps side by side; 'a ×3' for three of one step
    step             varchar not null,
    kind             varchar not null,
    operations       bigint not null,
    first_good       bigint not null,
    good             bigint not null,               -- ok or recovered
    trials           bigint not null,               -- visits of the node; a fan-out is one, and good if every part of it is
    trials_first_good bigint not null,
    trials_good      bigint not null,
    attempts         bigint not null,
    runs             bigint not null,               -- counted at the first node of the step in its run: adds up over nodes
    self_ns          bigint not null,
    duration_ns      bigint not null,
    wasted_ns        bigint not null,               -- tries that failed, and waiting for the next
    critical_ns      bigint not null,               -- of the runs' duration, along the critical path, with all that lies below
    critical_runs    bigint not null,
    model_ns         bigint not null,               -- of critical_ns
    tool_ns          bigint not null,
    retrieval_ns     bigint not null,
    critical_wasted_ns bigint not null,             -- of critical_ns: tries that failed, and waiting for the next
    tokens_input     bigint not null,               -- with all that lies below; 0 also where nothing is known
    tokens_output    bigint not null,
    cost_nano_usd    bigint not null
);
