-- rollup_failure: root occurrences of failures. Signed deltas, by the start of the run.
create table store.rollup_failure (
    level            utinyint not null,             -- 0: not folded yet, 1: 5 minutes
    bucket_ns        ubigint not null,              -- start of the run, cut to 5 minutes
    workflow         varchar not null,
    workflow_version varchar,
    environment      varchar,
    step             varchar,
    code             varchar not null,
    layer_a          varchar not null,
    layer_b          varchar not null,
    certainty        varchar not null,
    severity         varchar not null,
    recovered        boolean not null,
    silent           boolean not null,
    failures         bigint not null,
    runs             bigint not null                -- that hold at least one
);
