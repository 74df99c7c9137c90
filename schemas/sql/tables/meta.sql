-- meta: facts about this store. One row per key: schema_version, created_by, settled_until_ns.
create table store.meta (
    key   varchar primary key,
    value varchar not null
);
