-- ingest_log: what became of log records, a row a minute: received = stored + duplicate + rejected.
create or replace view ingest_log as
select minute_ns, sum(records)::bigint as received,
       coalesce(sum(records) filter (where fate = 'stored'), 0)::bigint as stored,
       coalesce(sum(records) filter (where fate = 'duplicate'), 0)::bigint as duplicate,
       coalesce(sum(records) filter (where fate not in ('stored', 'duplicate')), 0)::bigint as rejected
from store.ingest_log
group by minute_ns;
