-- since_held: how many runs of a window began or changed since a page was held still. One row.
--   $heard_ns                bigint, the latest that any run had heard of a span when the page was drawn
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
select count(*) as runs
from run
where last_received_ns > $heard_ns::ubigint and start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
