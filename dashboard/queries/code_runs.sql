-- code_runs: at which steps some failure codes were found, and the newest run of each. One row per (code, workflow, step).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over when a failure happened
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $codes                                varchar[]
select code, workflow, step, count(*) as failures, count(distinct run_id) as runs, max(at_ns) as newest_ns,
       arg_max(run_id, at_ns) as newest_run
from failure
where at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
  and list_contains($codes::varchar[], code)
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by code, workflow, step
order by runs desc, code, workflow, step
