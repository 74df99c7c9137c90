-- report_unfinished: runs that have not ended. One row per workflow that has any.
--   $since_ns, $until_ns  bigint, half-open [since, until) over the start of a run
--   $environment          varchar, see in_environment
select workflow, count(*) as runs
from run
where outcome = 'open'
  and start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
  and in_environment(environment, $environment)
group by workflow
order by workflow
