-- ingest_logs: what became of the log records received in a stretch of time. One row; zeros where nothing came.
--   $since_ns, $until_ns bigint, half-open [since, until)
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicate), 0)::bigint as duplicate, coalesce(sum(rejected), 0)::bigint as rejected
from ingest_log
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
