-- One run of $steps steps: a chain of 20 steps, each with fan-outs of 999 tool calls below a model call; every 500th call fails and is
-- tried again. Positions are in reading order, as settling gives them.
create temp table shape as
with numbered as (select i::integer as position, i % 1000 = 0 as is_head, i % 50000 = 0 or i = 0 as is_chain from range($steps) t(i)),
placed as (
    select position, is_chain, is_head, position // 50000 * 50000 as chain_at, position // 1000 * 1000 as head_at,
           case when is_chain then 1 when is_head then 2 when position % 50000 < 1000 then 2 else 3 end as depth,
           position % 500 = 250 as is_bad, position % 500 = 251 as is_again
    from numbered
)
select position, is_again, depth, printf('%016x', position + 1) as span_id,
       case when depth = 2 then printf('%016x', chain_at + 1) when depth = 3 then printf('%016x', head_at + 1) end as parent_span_id,
       case when depth = 1 then 'chain' when is_head then 'llm' else 'tool' end as kind,
       case when depth = 1 then 'batch ' || chain_at // 50000 when is_head then 'plan' else 'fetch_' || (position - is_again::integer) % 3 end as name,
       'batch ' || chain_at // 50000 as chain_step,
       $start_ns::ubigint + position::ubigint * 1000000 as start_ns,
       $start_ns::ubigint + case when depth = 1 then least(chain_at + 50000, $steps) when is_head then least(head_at + 1000, $steps)
                                 else position + 1 end::ubigint * 1000000 - 100000 as end_ns,
       case when is_bad and depth > 1 then 'failed' else 'ok' end as status,
       case when is_again then printf('%016x', position) else printf('%016x', position + 1) end as operation_id,
       1 + is_again::integer as attempt
from placed;

insert into store.step by name
select $run_id as run_id, $run_id as trace_id, span_id, parent_span_id, depth, position, kind, name, chain_step, start_ns, end_ns,
       case when kind = 'tool' then end_ns - start_ns else 0 end as self_ns, status, case when status = 'failed' then 'TimeoutError' end as error_type,
       case when kind = 'llm' then 900 end as tokens_input, case when kind = 'llm' then 80 end as tokens_output, 1 as visit, attempt, operation_id,
       false as is_orphan, $rule_version as rule_version, case when kind = 'tool' then end_ns - start_ns else 0 end as critical_ns
from shape;

insert into store.operation by name
select $run_id as run_id, $run_id as trace_id, operation_id, any_value(parent_span_id) as parent_span_id, any_value(depth) as depth,
       any_value(kind) as kind, any_value(name) as name, any_value(chain_step) as chain_step, min(start_ns) as start_ns, max(end_ns) as end_ns,
       case when count(*) > 1 then 'recovered' else 'ok' end as outcome, count(*) = 1 as first_try_ok, count(*)::integer as attempts,
       case when count(*) > 1 then 'siblings' else 'single' end as evidence, $rule_version as rule_version, false as is_redo
from shape
group by operation_id;

insert into store.failure by name
select $run_id as run_id, $run_id as trace_id, span_id, chain_step as step, 'tool.timeout' as code, 'tool' as layer_a, 'recovery' as layer_b,
       'observed' as certainty, 'high' as severity, 'root' as role, true as recovered, false as silent, [] as contributing,
       'status ERROR, TimeoutError' as evidence, 'TimeoutError' as error_type, end_ns as at_ns, 'tool.timeout/type' as rule_id,
       $rule_version as rule_version, 'wide_fan_out' as workflow, $start_ns::ubigint as run_start_ns, kind, end_ns - start_ns as lost_ns,
       rank() over (order by end_ns, span_id) = 1 as last_of_run, last_of_run as last_of_code,
       rank() over (partition by chain_step order by end_ns, span_id) = 1 as last_of_step
from shape
where status = 'failed';

insert into store.span by name
select $run_id as trace_id, span_id, coalesce(parent_span_id, repeat('f', 16)) as parent_span_id, '' as trace_state, 256 as flags, name, 1 as kind,
       start_ns, end_ns, case when status = 'failed' then 2 else 0 end as status_code, '' as status_message,
       '{"input.value": "order ' || position || '", "output.value": "{\"rows\": ' || position % 40 || '}"}' as attributes,
       0 as dropped_attributes_count, 0 as dropped_events_count, 0 as dropped_links_count, false as truncated, 1 as resource_id, 1 as scope_id,
       'openinference' as dialect, kind as step_kind, name as step_name, 'wide_fan_out' as workflow, false as tokens_are_sum,
       status = 'failed' as failed, false as interrupted, case when status = 'failed' then 'TimeoutError' end as error_type,
       false as collateral, 'input.value' as input_key, 'output.value' as output_key, $start_ns::ubigint + 1000000000000 as received_ns
from shape;

insert into store.resource by name select 1 as resource_id, '{"service.name": "fan"}' as attributes, 0 as dropped_attributes_count, '' as schema_url, '[]' as entity_refs;
insert into store.scope by name select 1 as scope_id, 'fan' as name, '1' as version, '{}' as attributes, 0 as dropped_attributes_count, '' as schema_url;

insert into store.run by name
select $run_id as run_id, $run_id as root_trace_id, [$run_id] as trace_ids, 'wide_fan_out' as workflow, min(start_ns) as start_ns, max(end_ns) as end_ns,
       'recovered' as outcome, 'tool.timeout' as code, 'tool' as layer_a, 'recovery' as layer_b, 'batch 0' as failing_step,
       min_by(span_id, position) filter (where status = 'failed') as origin_span_id, list(name order by position) filter (where depth = 1) as chain,
       count(*) as spans, count(*) as steps, count(distinct operation_id) as operations, count(*) as attempts,
       count(*) filter (where status = 'failed') as error_spans, 0 as orphans, 0 as gaps, $start_ns::ubigint + 1000000000000 as last_received_ns,
       $rule_version as rule_version
from shape;

insert into store.trace by name
select $run_id as trace_id, $run_id as run_id, $steps as spans, $start_ns::ubigint + 1000000000000 as first_received_ns,
       $start_ns::ubigint + 1000000000000 as last_received_ns;

drop table shape;
