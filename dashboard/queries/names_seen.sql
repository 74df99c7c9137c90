-- names_seen: which of the names that runs are looked for by something bears, at any time. One row per name.
--   $steps                   varchar[]; of steps that fail
--   $error                   varchar, '' for none; class of an exception
--   $called_by, $called      varchar, '' for none; step, operation, tool, model or provider, and its name
--   $services, $instrumentations  varchar[]; the latter are names of scopes
-- Asked only where no run was found.
with asked as (
    select 'step' as what, unnest($steps::varchar[]) as name
    union all select 'error', $error
    union all select $called_by, $called
    union all select 'service', unnest($services::varchar[])
    union all select 'instrumentation', unnest($instrumentations::varchar[])
),
called as materialized (
    select distinct step, name, tool, model, provider from rollup_call_between(0, 9223372036854775807, 3) where len($steps::varchar[]) > 0 or $called <> ''
)
select distinct what, name
from asked
where name <> '' and case what
    when 'step' then name in (select step from failure where step is not null and len($steps::varchar[]) > 0)
                     or name in (select unnest([coalesce(step, ''), name, concat_ws(' › ', step, name)]) from called)
    when 'error' then name in (select error_type from failure where error_type is not null and $error <> '')
    when 'operation' then name in (select name from called)
    when 'tool' then name in (select tool from called where tool is not null)
    when 'model' then name in (select model from called where model is not null)
    when 'provider' then name in (select provider from called where provider is not null)
    when 'service' then name in (select service from ingest_source where service is not null)
    else name in (select name from scope) end
order by what, name
