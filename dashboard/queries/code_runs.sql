-- code_runs: at which steps some failure codes were found, and the newest run of each. One row per (code, workflow, step).
--   $since_ns, $until_ns                  bigint, half-open [since, until) over when a failure happened
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $codes                                varchar[]
select f.code, r.workflow, f.step, count(*) as failures, count(distinct f.run_id) as runs, max(f.at_ns) as newest_ns,
       arg_max(f.run_id, f.at_ns) as newest_run
from failure f
join run r using (run_id)
where f.at_ns >= $since_ns::ubigint and f.at_ns < $until_ns::ubigint
  and list_contains($codes::varchar[], f.code)
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
group by f.code, r.workflow, f.step
order by runs desc, f.code, r.workflow, f.step
