-- marker: something that happened outside the agents and may explain a change. One row per posted marker.
create table store.marker (
    at_ns       ubigint not null,
    workflow    varchar,                            -- NULL: all workflows
    kind        varchar not null,                   -- deploy, or the sender's own word
    label       varchar not null,
    received_ns ubigint not null
);
