-- ingest_logs: what became of the log records received since a moment. One row; zeros where nothing came.
--   $since_ns bigint
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicate), 0)::bigint as duplicate, coalesce(sum(rejected), 0)::bigint as rejected
from ingest_log
where minute_ns >= $since_ns::ubigint
