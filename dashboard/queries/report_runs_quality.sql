-- report_runs_quality: what the runs of a window rest on. One row; zeros where there are none.
--   $since_ns, $until_ns  bigint, half-open [since, until) over the start of a run
--   $environment          varchar, see in_environment
select coalesce(sum(spans), 0)::bigint as spans, coalesce(sum(orphans), 0)::bigint as orphans,
       coalesce(sum(gaps), 0)::bigint as gaps
from run
where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
  and in_environment(environment, $environment)
