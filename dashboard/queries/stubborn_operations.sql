-- stubborn_operations: operations with many attempts, newest first, and when the attempts began. One row per operation.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $least                                bigint, attempts
--   $limit                                bigint
with stubborn as materialized (
    select o.run_id, r.workflow, o.operation_id, o.name, o.attempts, o.outcome, o.start_ns, o.end_ns
    from operation o
    join run r using (run_id)
    where o.start_ns >= $since_ns::ubigint and o.start_ns < $until_ns::ubigint and o.attempts >= $least
      and ($workflow = '' or r.workflow = $workflow)
      and ($version = '' or r.workflow_version = $version)
      and in_environment(r.environment, $environment)
    order by o.start_ns desc, o.operation_id
    limit $limit
)
select b.*, coalesce(s.starts_ns, []) as starts_ns
from stubborn b
left join (
    select run_id, operation_id, list(start_ns order by start_ns) as starts_ns
    from step
    where start_ns >= $since_ns::ubigint and run_id in (select run_id from stubborn)
    group by run_id, operation_id
) s on s.run_id = b.run_id and s.operation_id = b.operation_id
order by b.start_ns desc, b.operation_id
