-- rollup_latency: how long operations of a step, and whole runs, took. Signed deltas, by the start of the run.
create table store.rollup_latency (
    level            utinyint not null,             -- 0: not folded yet, 1: 5 minutes
    bucket_ns        ubigint not null,              -- start of the run, cut to 5 minutes
    workflow         varchar not null,
    workflow_version varchar,
    environment      varchar,
    scope            varchar not null,
    step             varchar,                       -- NULL: the run itself
    octave_8         integer not null,              -- floor(8 * log2(ns)): eight buckets an octave, read as 2 ** ((i + 0.5) / 8)
    observations     bigint not null
);
