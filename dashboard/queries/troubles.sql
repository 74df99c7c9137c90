-- troubles: the ways in which runs of a window failed or fell silent, the one that happened last first.
-- One row per (workflow, outcome, code of what decided it, failing step): how many runs, and the newest of them.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $limit                   bigint
select workflow, outcome as state, code, failing_step, count(*) as runs, max(start_ns) as start_ns,
       arg_max(run_id, {'at': start_ns, 'id': run_id}) as run_id
from run
where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
  and outcome in ('failed', 'silent')
group by workflow, outcome, code, failing_step
order by start_ns desc, run_id desc
limit $limit
