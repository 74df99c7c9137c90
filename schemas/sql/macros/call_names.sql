-- call_names: by what the calls of a window are counted. One row per (call, dimension); `call` as in calls_keyed, `named` a number
-- for (owner, dimension, name). `dimension` is step, tool, model or provider. `owner`: the workflow of a step; the others are shared: ''. A step below depth 1 is named `depth-1 step › step`; where
-- both bear one name, as a node that wraps a tool of its name, only a chain or an agent is the depth-1 step, if there is one: else
-- the calls inside would water down its retries. Arguments: a window in whole 5 minutes, and '' for all workflows.
create or replace macro call_names(since_ns, until_ns, of_workflow) as table
with seen as materialized (
    select distinct workflow, step, name, kind, tool, model, provider
    from rollup_call_between(since_ns, until_ns, 3)
    where (of_workflow = '' or workflow = of_workflow)
),
wrapping as (
    select workflow, step from seen where name = step group by workflow, step having bool_or(kind in ('chain', 'agent'))
),
named as (
    select hash(workflow, seen.step, name, kind, tool, model, provider) as call, workflow, seen.step,
           unnest([{dimension: 'step', name: case when name = seen.step and (kind in ('chain', 'agent') or w.step is null) then name
                                                  else concat_ws(' › ', seen.step, name) end},
                   {dimension: 'tool', name: tool}, {dimension: 'model', name: model}, {dimension: 'provider', name: provider}],
                  recursive := true)
    from seen left join wrapping w using (workflow, step)
)
select call, workflow, step, dimension, name, case when dimension = 'step' then workflow else '' end as owner,
       hash(owner, dimension, name) as named
from named
where name is not null;
