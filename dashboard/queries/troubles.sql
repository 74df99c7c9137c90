-- troubles: the ways in which runs of a window failed or fell silent, the one that happened last first.
-- One row per (workflow, outcome, code of what decided it, failing step): how many runs, and the newest of them.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $limit                   bigint
with bad as not materialized (
    select workflow, outcome as state, code, failing_step, start_ns, run_id
    from run
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
      and outcome in ('failed', 'silent')
),
newest as materialized (
    select workflow, state, code, failing_step, count(*) as runs, max(start_ns) as start_ns
    from bad
    group by workflow, state, code, failing_step
    order by start_ns desc, workflow, state, code, failing_step
    limit $limit
)
select n.*, max(run_id) as run_id   -- of these few only: the id of each would take as long again
from newest n
join bad b on b.start_ns = n.start_ns and b.workflow = n.workflow and b.state = n.state and b.code is not distinct from n.code
          and b.failing_step is not distinct from n.failing_step
where b.start_ns in (select start_ns from newest)
group by n.*
order by start_ns desc, run_id desc
