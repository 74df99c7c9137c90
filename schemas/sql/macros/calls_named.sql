-- calls_named: calls by what operations are counted by, over time. Several rows may hold one key: sum them.
-- `dimension` is step, tool, model or provider. A step below depth 1 is named `depth-1 step › step`; where both bear one
-- name, as a node that wraps a tool of its name, only a chain or an agent is the depth-1 step, if there is one: else the calls
-- inside would water down its retries. Arguments: a window in whole 5 minutes, its grain as in rollup_call_between, and '' for
-- all workflows, versions and what in_environment says.
create or replace macro calls_named(since_ns, until_ns, coarsest, of_workflow, of_version, of_environment) as table
with wrapping as (
    select workflow, step from rollup_call_between(since_ns, until_ns, 3)
    where name = step and (of_workflow = '' or workflow = of_workflow)
    group by workflow, step
    having bool_or(kind in ('chain', 'agent'))
),
found as (
    select c.*, case when name = step and (kind in ('chain', 'agent') or w.step is null) then name
                     else concat_ws(' › ', step, name) end as called
    from rollup_call_between(since_ns, until_ns, coarsest) c
    left join wrapping w using (workflow, step)
    where (of_workflow = '' or workflow = of_workflow)
      and (of_version = '' or workflow_version = of_version)
      and in_environment(environment, of_environment)
)
select bucket_ns, workflow, step, 'step' as dimension, called as name, tries, operations, failed, recovered, wasted_ns,
       wasted_tokens, wasted_usd from found
union all
select bucket_ns, workflow, step, 'tool', tool, tries, operations, failed, recovered, wasted_ns, wasted_tokens, wasted_usd
from found where tool is not null
union all
select bucket_ns, workflow, step, 'model', model, tries, operations, failed, recovered, wasted_ns, wasted_tokens, wasted_usd
from found where model is not null
union all
select bucket_ns, workflow, step, 'provider', provider, tries, operations, failed, recovered, wasted_ns, wasted_tokens,
       wasted_usd from found where provider is not null;
