-- failure_before: the last root occurrence before a window, as far back as 90 days: since when all is well. At most one row.
--   $since_ns                          bigint, where the window begins
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $certainty                         varchar
select f.at_ns, f.run_id, f.span_id, r.workflow, f.step, f.code
from failure f
join run r using (run_id)
where f.at_ns < $since_ns::ubigint and f.at_ns >= greatest($since_ns::bigint - 7776000000000000, 0)::ubigint
  and f.role = 'root' and f.certainty = $certainty
  and ($workflow = '' or r.workflow = $workflow)
  and ($version = '' or r.workflow_version = $version)
  and in_environment(r.environment, $environment)
order by f.at_ns desc, f.run_id, f.span_id
limit 1
