-- ingest_source: who sent spans of what kind, a row a minute and source; what came since the last whole minute from the spans.
create or replace view ingest_source as
from store.ingest_source
union all
select received_ns // 60000000000 * 60000000000, s.service, c.name, c.version, s.dialect, s.framework, count(*), count(s.gaps),
       max(s.received_ns)
from store.span s left join store.scope c using (scope_id)
where received_ns >= (select coalesce(max(minute_ns) + 60000000000, 0) from store.ingest_source)
group by all;
