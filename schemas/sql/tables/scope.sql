-- scope: which instrumentation made spans. One row per distinct OTLP scope; spans point at it.
create table store.scope (
    scope_id                 ubigint primary key,
    name                     varchar not null,
    version                  varchar not null,
    attributes               json not null,
    dropped_attributes_count uinteger not null,
    schema_url               varchar not null       -- ScopeSpans.schema_url
);
