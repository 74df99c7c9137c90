-- runs_removed: how many runs that began on the days (UTC) of a window were removed. One row.
--   $since_ns, $until_ns bigint, half-open [since, until)
select count(distinct run_id) as runs
from removed_trace
where day_ns >= $since_ns::ubigint // 86400000000000 * 86400000000000 and day_ns < $until_ns::ubigint
