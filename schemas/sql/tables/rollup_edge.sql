-- rollup_edge: what followed what in a chain, after a node that went well. Signed deltas, by the start of the run.
create table store.rollup_edge (
    level            utinyint not null,             -- 0: not folded yet, 1: 5 minutes
    bucket_ns        ubigint not null,              -- start of the run, cut to 5 minutes
    workflow         varchar not null,
    workflow_version varchar,
    environment      varchar,
    scope            varchar not null,
    from_node        varchar,                       -- NULL: the start of the chain
    to_node          varchar,                       -- NULL: the chain was left
    exit             varchar,                       -- where it was left: end, or outside (failed although its last node was good)
    transitions      bigint not null
);
