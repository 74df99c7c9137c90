-- ingest_reasons: why spans, log records or whole requests were not taken. One row per (what, reason), most first.
--   $since_ns, $until_ns bigint, half-open [since, until)
select 'spans' as what, reason, sum(spans)::bigint as refused, max(minute_ns) as last_minute_ns
from ingest_rejection
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
group by reason
union all
select 'log records' as what, reason, sum(records)::bigint as refused, max(minute_ns) as last_minute_ns
from ingest_log_rejection
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
group by reason
union all
select 'requests' as what, reason, sum(requests)::bigint as refused, max(minute_ns) as last_minute_ns
from ingest_refusal
where minute_ns >= $since_ns::ubigint and minute_ns < $until_ns::ubigint
group by reason
order by refused desc, what, reason
