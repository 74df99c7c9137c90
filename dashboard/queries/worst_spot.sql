-- worst_spot: where most failed and silent runs of a window broke. At most one row.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
select workflow, failing_step, count(*) as runs, min(start_ns) as first_ns, max(start_ns) as last_ns
from run
where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and outcome in ('failed', 'silent')
group by workflow, failing_step
order by runs desc, workflow, failing_step
limit 1
