-- resource: what sent spans. One row per distinct OTLP resource; spans point at it.
create table store.resource (
    resource_id              ubigint primary key,   -- digest of the content, the same in every process
    attributes               json not null,
    dropped_attributes_count uinteger not null,
    schema_url               varchar not null,      -- ResourceSpans.schema_url
    entity_refs              json not null
);
