-- failure_backlog: errors that no rule knows, by exception class and instrumentation scope: what rules are wanted for.
-- One row per (error_type, scope), most frequent first, at most 20. Either is NULL where the spans do not say.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
select error_type, scope as scope_name, count(*) as failures, count(distinct run_id) as runs, mode(kind) as kind,
       max_by(run_id, (at_ns, run_id)) as run_id, max_by(span_id, (at_ns, run_id)) as span_id,
       max_by(evidence, (at_ns, run_id)) as evidence, max(at_ns) as newest_ns
from failure
where at_ns >= $since_ns::ubigint and role = 'root' and code = 'unclassified'
  and run_start_ns >= $since_ns::ubigint and run_start_ns < $until_ns::ubigint
  and ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by error_type, scope
order by failures desc, error_type, scope_name
limit 20
