-- calls_found: how many operations the runs of a filter hold, of those that it asks for. One row.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $called_by, $called      varchar, '' for any; step (named as in calls_named), operation (its own name), tool, model, provider
--   $tries                   bigint; tried so often or more
select count(*) as operations, count(distinct run_id) as runs
from operations_called($since_ns, $called_by, $called, $tries)
where run_id in (select run_id from run
                 where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
                   and ($workflow = '' or workflow = $workflow)
                   and ($version = '' or workflow_version = $version)
                   and in_environment(environment, $environment))
