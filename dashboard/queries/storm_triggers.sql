-- storm_triggers: which failures began when, for what operations are counted by.
-- One row per (bucket of 5 minutes, dimension, name, code), named as in calls_named. A failure belongs to a depth-1 step; a
-- tool, model or provider has those of every step that called it in the window.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with named as (
    select workflow, step, dimension, name
    from calls_named($since_ns, $until_ns, 3, $workflow, $version, $environment)
    where tries > 1
    group by all
    having sum(operations) > 0
)
select bucket_ns, dimension, name, code, sum(failures)::bigint as failures
from rollup_failure_between($since_ns, $until_ns, 1) f
join named n using (workflow, step)
where ($workflow = '' or f.workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by bucket_ns, dimension, name, code
having sum(failures) > 0
order by bucket_ns, dimension, name, code
