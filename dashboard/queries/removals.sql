-- removals: what was removed since a moment. One row per reason: age, size, asked.
--   $since_ns bigint
select reason, sum(runs)::bigint as runs, sum(spans)::bigint as spans, sum(records)::bigint as records,
       sum(bytes)::bigint as bytes
from removal
where minute_ns >= $since_ns::ubigint
group by reason
order by reason
