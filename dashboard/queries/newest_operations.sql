-- newest_operations: every operation of the newest runs of a window, and the operation that it lies inside of.
-- One row per operation. `inside` is NULL where no operation's attempt is its parent.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $limit                                bigint, runs
with newest as materialized (
    select run_id, start_ns, workflow
    from run
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
    order by start_ns desc, run_id desc
    limit $limit
),
-- Beside the ids a bound on the time: both tables are ordered by it, so most of them is never read.
tried as materialized (  -- beyond the first try, whose span bears the id of the operation
    select run_id, span_id, operation_id
    from step
    where start_ns >= (select min(start_ns) from newest) and attempt > 1 and run_id in (select run_id from newest)
),
done as materialized (
    select o.run_id, n.workflow, o.operation_id, o.parent_span_id, o.name, o.kind, o.attempts, o.evidence
    from operation o
    join newest n using (run_id)
    where o.start_ns >= (select min(start_ns) from newest)
)
select o.run_id, o.workflow, o.operation_id, o.parent_span_id, coalesce(t.operation_id, p.operation_id) as inside, o.name, o.kind, o.attempts,
       o.evidence
from done o
left join tried t on t.run_id = o.run_id and t.span_id = o.parent_span_id
left join done p on p.run_id = o.run_id and p.operation_id = o.parent_span_id
order by o.run_id, o.operation_id
