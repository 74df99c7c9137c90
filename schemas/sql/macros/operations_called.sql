-- operations_called: operations since a moment by what they called, tried so often or more. One row per (run_id, operation_id).
-- `called_by` is step (named as in calls_named), operation (by its own name), tool, model or provider; `wanted` '' for any. First
-- what a name can fit at all, then the wrappers and providers of those alone: looked up for all operations they cost seconds.
create or replace macro operations_called(since_ns, called_by, wanted, least_tries) as table
with fitting as materialized (
    select run_id, operation_id, chain_step, name, kind
    from store.operation
    where start_ns >= since_ns::ubigint and attempts >= least_tries
      and (wanted = '' or case called_by
          when 'step' then name = wanted or ends_with(wanted, name) and wanted = concat_ws(' › ', chain_step, name)
          when 'operation' then name = wanted when 'tool' then tool = wanted when 'model' then model = wanted
          else true end)
),
wrapped as materialized (   -- may be: by a node that bears its name
    select run_id, name from fitting where called_by = 'step' and name = chain_step and kind not in ('chain', 'agent')
),
wrapping as (
    select run_id, name from store.operation
    where called_by = 'step' and name = chain_step and kind in ('chain', 'agent') and start_ns >= since_ns::ubigint
      and name in (select name from wrapped) and run_id in (select run_id from wrapped)
)
select run_id, operation_id from fitting
where wanted = '' or case called_by
    when 'step' then wanted = concat_ws(' › ', case when name <> chain_step or kind not in ('chain', 'agent')
                                                         and (run_id, chain_step) in (select run_id, name from wrapping)
                                                    then chain_step end, name)
    when 'provider' then (run_id, operation_id) in (select run_id, span_id from store.step
                                                    where called_by = 'provider' and provider = wanted and start_ns >= since_ns::ubigint)
    else true end;
