-- failures_found: how many failures the runs of a filter hold, of those that it asks for. One row.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $code, $layer_a, $layer_b, $certainty, $error  varchar, '' for any
--   $steps                   varchar[], [] for any; '' in it stands for failures at no step
--   $fate                    varchar; loud (neither handled nor hidden), silent, recovered, '' for any of these; dragged: passed on or cut off
select count(*) as failures, count(distinct f.run_id) as runs
from failure f
where f.at_ns >= $since_ns::ubigint
  and f.run_start_ns >= $since_ns::ubigint and f.run_start_ns < $until_ns::ubigint
  and ($workflow = '' or f.workflow = $workflow)
  and ($version = '' or f.workflow_version = $version)
  and in_environment(f.environment, $environment)
  and ($code = '' or f.code = $code)
  and ($layer_a = '' or f.layer_a = $layer_a)
  and ($layer_b = '' or f.layer_b = $layer_b)
  and (len($steps::varchar[]) = 0 or list_contains($steps::varchar[], coalesce(f.step, '')))
  and ($certainty = '' or f.certainty = $certainty)
  and ($error = '' or f.error_type = $error)
  and case when $fate = 'dragged' then f.role = 'collateral' or f.role = 'propagated' and f.code <> 'recovery.silent_failure'
           else f.role = 'root' and $fate in ('', case when f.recovered then 'recovered' when f.silent then 'silent' else 'loud' end) end
