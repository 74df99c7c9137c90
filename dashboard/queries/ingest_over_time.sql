-- ingest_over_time: how many spans arrived when. One row per bucket of receiving; empty buckets are absent.
--   $since_ns, $until_ns  bigint, half-open [since, until)
--   $bucket_ns            bigint, whole minutes
select (minute_ns // $bucket_ns::ubigint) * $bucket_ns::ubigint as bucket_ns, sum(stored)::bigint as stored,
       sum(duplicate)::bigint as duplicate, sum(rejected)::bigint as rejected
from ingest_minute
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
group by bucket_ns
order by bucket_ns
