-- most_tries: how often an operation was tried at most. One row per (dimension, name), named as in calls_over_time.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
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
    select case when name = step and not (is_call and w.step is not null) then name
                else concat_ws(' › ', step, name) end as step, tool, model, provider, tries
    from found
    left join wrapping w using (workflow, step)
    group by all
    having sum(operations) > 0
),
named as (
    select tries, 'step' as dimension, step as name from calls
    union all select tries, 'tool', tool from calls where tool is not null
    union all select tries, 'model', model from calls where model is not null
    union all select tries, 'provider', provider from calls where provider is not null
)
select dimension, name, max(tries) as most_tries
from named
group by dimension, name
having max(tries) > 1
order by dimension, name
