-- calls_over_time: operations and their tries, over time, by step and by what steps depend on.
-- One row per (bucket of 5 minutes, dimension, name): dimension is step, tool, model or provider. A step below depth 1 is
-- named `depth-1 step › step`; where both bear one name, as a node that wraps a tool of its name, only a chain or an agent is
-- the depth-1 step, if there is one: else the calls inside would water down its retries. `most_tries`: of one operation.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with found as (
    select *, kind not in ('chain', 'agent') as is_call
    from rollup_call_between($since_ns, $until_ns, 1)
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
),
wrapping as (select workflow, step from found where name = step group by all having not bool_and(is_call)),
calls as (
    select bucket_ns, case when name = step and not (is_call and w.step is not null) then name
                           else concat_ws(' › ', step, name) end as step, tool, model, provider, tries, sum(operations) as operations, sum(failed) as failed, sum(recovered) as recovered,
           sum(wasted_ns) as wasted_ns, sum(wasted_tokens) as wasted_tokens, sum(wasted_usd) as wasted_usd
    from found
    left join wrapping w using (workflow, step)
    group by all
    having sum(operations) > 0
),
named as (
    select *, 'step' as dimension, step as name from calls
    union all select *, 'tool', tool from calls where tool is not null
    union all select *, 'model', model from calls where model is not null
    union all select *, 'provider', provider from calls where provider is not null
)
select bucket_ns, dimension, name, sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts,
       sum(failed)::bigint as failed, sum(recovered)::bigint as recovered, max(tries) as most_tries,
       sum(wasted_ns)::bigint as wasted_ns, sum(wasted_tokens)::bigint as wasted_tokens,
       round(sum(wasted_usd), 9) as wasted_usd
from named
group by bucket_ns, dimension, name
order by bucket_ns, dimension, name
