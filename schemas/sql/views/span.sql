-- span: one OTLP span with its resource, its scope and what its dialect says.
create or replace view span as
select s.* replace (s.attributes::json as attributes, s.events::json as events, s.links::json as links, s.evaluations::json as evaluations),
       case s.kind when 1 then 'internal' when 2 then 'server' when 3 then 'client' when 4 then 'producer'
                   when 5 then 'consumer' when 0 then 'unspecified' else 'unknown' end as kind_name,
       case s.status_code when 0 then 'unset' when 1 then 'ok' when 2 then 'error' else 'unknown' end as status,
       c.name as scope_name, c.version as scope_version, c.attributes as scope_attributes,
       c.dropped_attributes_count as scope_dropped_attributes_count, c.schema_url as scope_schema_url,
       r.attributes as resource_attributes, r.dropped_attributes_count as resource_dropped_attributes_count,
       r.schema_url as resource_schema_url, r.entity_refs as resource_entity_refs
from store.span s
left join store.scope c using (scope_id)
left join store.resource r using (resource_id);
