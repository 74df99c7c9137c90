-- What settling would have derived of the runs of tests.benchmarks.queries below the run: steps, operations and failures,
-- with ids of their own, in the order of time. Reads the temporary tables that fill_rollups.sql leaves.
create temp view tried as
select *, substr(md5(run_id || '/' || n), 1, 16) as operation_id,
       case when inner_of is not null
            then substr(md5(run_id || '/' || n - 1), 1, 16) end as parent_span_id,
       start_ns + n::bigint * 300000000 as first_ns, is_broken as failed
from called;

insert into store.step by name
select run_id, run_id as trace_id,
       case when attempt = 1 then operation_id else substr(md5(operation_id || attempt), 1, 16) end as span_id,
       parent_span_id, case when inner_of is null then 1 else 2 end as depth, n - 1 as position, kind, name, step as chain_step,
       case when kind = 'llm' then name end as model, case when kind = 'llm' then 'openai' end as provider,
       case when kind = 'tool' then name end as tool, first_ns + (attempt - 1) * 60000000 as start_ns,
       first_ns + (attempt - 1) * 60000000 + took_ns as end_ns, took_ns // 4 as self_ns,
       case when failed or attempt < tries then 'failed' else 'ok' end as status,
       case when failed or attempt < tries then 'ToolTimeoutError' end as error_type,
       case when failed or attempt < tries then 'no answer within 10.0 s' end as error_message,
       300 as tokens_input, 60 as tokens_output, 0.0004 as cost_usd, 1 as visit, attempt, operation_id,
       false as is_orphan, getvariable('rule_version') as rule_version, took_ns as critical_ns
from (select *, unnest(range(1, tries + 1))::integer as attempt from tried);

insert into store.operation by name
select run_id, run_id as trace_id, operation_id, parent_span_id, case when inner_of is null then 1 else 2 end as depth, kind, name,
       step as chain_step, case when kind = 'tool' then name end as tool, case when kind = 'llm' then name end as model,
       first_ns as start_ns, first_ns + (tries - 1) * 60000000 + took_ns as end_ns,
       case when failed then 'failed' when tries > 1 then 'recovered' else 'ok' end as outcome, tries = 1 and not failed as first_try_ok,
       tries as attempts, case when tries > 1 then 'siblings' else 'single' end as evidence,
       getvariable('rule_version') as rule_version, false as is_redo
from tried;

insert into store.failure by name
select run_id, run_id as trace_id, operation_id as span_id, step, code, layer_a, layer_b, 'observed' as certainty, 'high' as severity,
       'root' as role, false as recovered, outcome = 'silent' as silent, [] as contributing,
       'no answer within 10.0 s, and nobody asked again' as evidence,
       ['ToolTimeoutError', 'HTTPStatusError', 'ValidationError', 'KeyError'][(hash(seed) % 4)::integer + 1] as error_type,
       first_ns + took_ns as at_ns, case when code <> 'unclassified' then code || '/case' end as rule_id,
       getvariable('rule_version') as rule_version, 0 as scope_id, workflow, workflow_version, environment,
       start_ns as run_start_ns, kind, took_ns as lost_ns, true as last_of_run, true as last_of_code, true as last_of_step
from tried
where failed;

insert into store.ingest_minute by name
select start_ns // 60000000000 * 60000000000 as minute_ns, sum(spans) as received, received as stored,
       0 as duplicate, 0 as conflict, 0 as rejected, 0 as truncated, 0 as late, 1 as requests, received * 1800 as bytes
from store.run
group by all
order by minute_ns;
