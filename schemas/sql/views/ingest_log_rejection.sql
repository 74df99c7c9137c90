-- ingest_log_rejection: why log records of good requests were not stored. One row per minute and reason.
create or replace view ingest_log_rejection as
select minute_ns, fate as reason, records
from store.ingest_log
where fate not in ('stored', 'duplicate');
