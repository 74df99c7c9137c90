-- stubborn_operations: operations with many attempts, newest first, and when the attempts began. One row per operation.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $least                                bigint, attempts
--   $limit                                bigint
with tried as materialized (
    select run_id, operation_id, name, attempts, outcome, start_ns, end_ns
    from operation
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint and attempts >= $least
),
asked as materialized (  -- first by the ids alone, a list of them: a join would read every run
    select run_id, workflow
    from run
    where run_id in (select unnest(list(distinct run_id)) from tried)
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
),
stubborn as materialized (
    select run_id, workflow, operation_id, name, attempts, outcome, start_ns, end_ns
    from tried join asked using (run_id)
    order by start_ns desc, operation_id
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
