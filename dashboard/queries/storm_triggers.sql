-- storm_triggers: which failures began when, in stretches of what operations are counted by.
-- One row per (bucket of 5 minutes, workflow, dimension, name, code), named as in call_names; `workflow` is its owner. A failure
-- belongs to a depth-1 step; a tool, model or provider has those of every step that called it in the window.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes: around the stretches
--   $names_since_ns, $names_until_ns      bigint, the window whose names they are
--   $owners, $dimensions, $names          varchar[], of each stretch
--   $begins_ns, $ends_ns                  bigint[], half-open, of each stretch, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with stretch as materialized (
    select unnest($owners::varchar[]) as owner, unnest($dimensions::varchar[]) as dimension, unnest($names::varchar[]) as name,
           unnest($begins_ns::ubigint[]) as begin_ns, unnest($ends_ns::ubigint[]) as end_ns
),
inside as (  -- a bucket at a time: to join by, twice as fast as by range
    select distinct owner, dimension, name, unnest(range(begin_ns::bigint, end_ns::bigint, 300000000000))::ubigint as bucket_ns
    from stretch
),
named as (
    select distinct workflow, step, owner, dimension, name
    from call_names($names_since_ns, $names_until_ns, $workflow)
    semi join stretch using (owner, dimension, name)
    semi join (select call from calls_keyed($names_since_ns, $names_until_ns, 3, $workflow, $version, $environment)
               where tries > 1 and operations > 0) using (call)
)
select bucket_ns, owner as workflow, dimension, name, code, sum(failures)::bigint as failures
from rollup_failure_between($since_ns, $until_ns, 1) f
join named n using (workflow, step)
join inside using (bucket_ns, owner, dimension, name)
where ($workflow = '' or f.workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by bucket_ns, owner, dimension, name, code
having sum(failures) > 0
order by bucket_ns, dimension, name, owner, code
