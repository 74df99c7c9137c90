-- report_ingest: what became of the spans received in a window. One row; zeros where none were.
--   $since_ns, $until_ns  bigint, half-open [since, until) over the minute of receipt
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicate), 0)::bigint as duplicate, coalesce(sum(rejected), 0)::bigint as rejected
from ingest_minute
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
