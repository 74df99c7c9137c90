-- storm_triggers: which failures began when, for what operations are counted by.
-- One row per (bucket of 5 minutes, dimension, name, code), named as in calls_over_time. A failure belongs to a depth-1
-- step; a tool, model or provider has those of every step that called it in the window.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with found as (
    select *, kind not in ('chain', 'agent') as is_call
    from rollup_call_between($since_ns, $until_ns, 3)
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
),
wrapping as (select workflow, step from found where name = step group by all having not bool_and(is_call)),
calls as (
    select workflow, step, case when name = step and not (is_call and w.step is not null) then name
                                else concat_ws(' › ', step, name) end as called, tool, model, provider
    from found
    left join wrapping w using (workflow, step)
    where tries > 1
    group by all
    having sum(operations) > 0
),
named as (
    select workflow, step, 'step' as dimension, called as name from calls
    union select workflow, step, 'tool', tool from calls where tool is not null
    union select workflow, step, 'model', model from calls where model is not null
    union select workflow, step, 'provider', provider from calls where provider is not null
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
