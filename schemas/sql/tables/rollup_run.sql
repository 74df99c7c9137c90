-- rollup_run: how runs ended, what they used, where their time went. Sums of signed deltas over the runs that began in a bucket.
-- Open runs are in no roll-up. See docs/decisions/028-rollups.md for the levels and for how deltas get here.
create table store.rollup_run (
    level            utinyint not null,             -- 0: not folded yet, 1: 5 minutes
    bucket_ns        ubigint not null,              -- start of the run, cut to 5 minutes
    workflow         varchar not null,
    workflow_version varchar,
    environment      varchar,
    outcome          varchar not null,
    verdict          varchar,
    layer_a          varchar,
    layer_b          varchar,
    code             varchar,
    failing_step     varchar,
    runs             bigint not null,
    rescued          bigint not null,               -- clean or recovered runs that hold a failed depth-1 operation
    operations       bigint not null,
    attempts         bigint not null,
    tokens_input     bigint not null,               -- 0 also where nothing is known
    tokens_output    bigint not null,
    cost_nano_usd    bigint not null,               -- whole numbers, so that what is taken back leaves nothing behind
    duration_ns      bigint not null,
    model_ns         bigint not null,               -- of duration_ns, along the critical path: model calls …
    tool_ns          bigint not null,
    retrieval_ns     bigint not null,
    critical_wasted_ns bigint not null              -- … tries that failed, and waiting for the next; the rest is orchestration
);
