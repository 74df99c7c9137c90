-- ingest_totals: what became of the spans received in a stretch of time. One row; zeros where nothing came.
--   $since_ns, $until_ns bigint, half-open [since, until)
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicate), 0)::bigint as duplicate, coalesce(sum(conflict), 0)::bigint as conflict,
       coalesce(sum(rejected), 0)::bigint as rejected, coalesce(sum(truncated), 0)::bigint as truncated,
       coalesce(sum(late), 0)::bigint as late, coalesce(sum(requests), 0)::bigint as requests,
       coalesce(sum(bytes), 0)::bigint as bytes, coalesce(sum(balance), 0)::bigint as balance,
       max(minute_ns) as last_minute_ns
from ingest_minute
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
