-- dialect_gaps: what each dialect should have said and did not. One row per (dialect, gap), most first, at most 50.
--   $since_ns, $until_ns bigint, half-open [since, until) over the time of receiving
select dialect, gap, count(*) as spans
from (select dialect, unnest(gaps) as gap
      from span
      where received_ns >= $since_ns::ubigint and received_ns < $until_ns::ubigint and gaps is not null)
group by dialect, gap
order by spans desc, dialect, gap
limit 50
