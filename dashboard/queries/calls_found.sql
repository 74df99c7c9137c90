-- calls_found: how many operations the runs of a filter hold, of those that it asks for. One row.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $called_by, $called      varchar, '' for any; step (named as in calls_named), operation (its own name), tool, model, provider
--   $tries                   bigint; tried so often or more
select count(*) as operations, count(distinct run_id) as runs
from operation o
where start_ns >= $since_ns::ubigint and attempts >= $tries
  and ($called = '' or $called = case $called_by
       when 'step' then concat_ws(' › ', case when name <> chain_step or kind not in ('chain', 'agent') and (run_id, chain_step) in (
           select run_id, name from operation
           where $called_by = 'step' and name = chain_step and kind in ('chain', 'agent') and start_ns >= $since_ns::ubigint
       ) then chain_step end, name)
       when 'operation' then name when 'tool' then tool when 'model' then model
       else (select any_value(provider) from step s where s.run_id = o.run_id and s.span_id = o.operation_id) end)
  and run_id in (select run_id from run
                 where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
                   and ($workflow = '' or workflow = $workflow)
                   and ($version = '' or workflow_version = $version)
                   and in_environment(environment, $environment))
