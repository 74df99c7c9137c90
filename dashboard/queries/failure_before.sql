-- failure_before: the last root occurrence before a window, as far back as 90 days: since when all is well. At most one row.
--   $since_ns                          bigint, where the window begins
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar
select at_ns, run_id, span_id, workflow, step, code
from failure
where at_ns < $since_ns::ubigint and at_ns >= greatest($since_ns::bigint - 7776000000000000, 0)::ubigint
  and role = 'root' and certainty = $certainty
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
order by at_ns desc, run_id, span_id
limit 1
