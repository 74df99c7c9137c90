-- time_spent: where the time of runs went, along their critical paths. One row; the parts add up to run_ns.
-- Wasted are tries that failed and waiting for the next; orchestration is what lies in none of the others.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select coalesce(sum(runs), 0)::bigint as runs, coalesce(sum(duration_ns), 0)::bigint as run_ns,
       coalesce(sum(model_ns), 0)::bigint as model_ns, coalesce(sum(tool_ns), 0)::bigint as tool_ns,
       coalesce(sum(retrieval_ns), 0)::bigint as retrieval_ns,
       coalesce(sum(critical_wasted_ns), 0)::bigint as wasted_ns,
       coalesce(sum(duration_ns - model_ns - tool_ns - retrieval_ns - critical_wasted_ns), 0)::bigint as orchestration_ns
from rollup_run_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
