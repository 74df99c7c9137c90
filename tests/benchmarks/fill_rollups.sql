-- The roll-ups that settling would have made of the runs of tests.benchmarks.queries, in 5 minutes.
-- Twelve workflows of six steps, three of which hold one call; a run takes all of them unless it fails at one. One operation
-- in 25 is tried again; every thirteenth day the tools have two hours of storm.
create temp table asked as
select step, scope, name, kind, position, inner_of, n from (values
    ('classify', '', 'classify', 'chain', 0, null, 1), ('lookup', '', 'lookup', 'chain', 1, null, 2),
    ('lookup', 'lookup', 'orders.get', 'tool', 1, 'lookup', 3), ('search', '', 'search', 'chain', 2, null, 4),
    ('search', 'search', 'manuals', 'retrieval', 2, 'search', 5), ('draft', '', 'draft', 'chain', 3, null, 6),
    ('draft', 'draft', 'gpt-4.1', 'llm', 3, 'draft', 7), ('check', '', 'check', 'chain', 4, null, 8),
    ('send', '', 'send', 'chain', 5, null, 9)
) t(step, scope, name, kind, position, inner_of, n);

create temp table began as
select start_ns // 300000000000 * 300000000000 as bucket_ns, start_ns, workflow, workflow_version, environment, outcome, failing_step,
       code, layer_a, layer_b, verdict,
       case when outcome in ('failed', 'silent') then (hash(run_id) % 6)::integer end as broken_at,
       (hash(run_id) % 1000000007)::bigint as seed, run_id,
       start_ns // 86400000000000 % 13 = 5 and start_ns // 3600000000000 % 24 in (10, 11) as is_storm,
       end_ns - start_ns as length_ns, tokens_input, tokens_output
from store.run;

create temp table called as
select b.*, a.*,
       pow(2, 24 + position / 3.0 + (hash(seed, name) % 300) / 75.0)::bigint as took_ns,
       case when is_storm and kind = 'tool' and hash(seed, name, 1) % 10 < 7 then 4
            when hash(seed, name, 1) % 25 = 0 then 2 + (hash(seed, name, 2) % 3)::integer else 1 end as tries,
       coalesce(broken_at = position and inner_of is null, false) as is_broken
from began b, asked a
where outcome <> 'failed' or position <= broken_at;

insert into store.rollup_run by name
select 1 as level, bucket_ns, workflow, workflow_version, environment, outcome,
       verdict, layer_a, layer_b, code, failing_step,
       count(*) as runs, 0 as rescued, 9 * count(*) as operations, 10 * count(*) as attempts,
       sum(tokens_input) as tokens_input, sum(tokens_output) as tokens_output, 4000000 * count(*) as cost_nano_usd,
       sum(length_ns) as duration_ns, sum(length_ns) // 2 as model_ns, sum(length_ns) // 5 as tool_ns,
       sum(length_ns) // 10 as retrieval_ns, sum(length_ns) // 50 as critical_wasted_ns
from began
group by all;

insert into store.rollup_step by name
select 1 as level, bucket_ns, workflow, workflow_version, environment, scope, name as node, name as step, kind,
       count(*) as operations, count(*) filter (tries = 1 and not is_broken) as first_good,
       count(*) filter (not is_broken) as good, operations as trials, first_good as trials_first_good,
       good as trials_good, sum(tries) as attempts, count(*) as runs, sum(took_ns)::bigint // 4 as self_ns,
       sum(took_ns)::bigint as duration_ns, sum(took_ns * (tries - 1))::bigint as wasted_ns,
       sum(took_ns)::bigint as critical_ns, count(*) as critical_runs, sum(took_ns)::bigint // 2 as model_ns,
       sum(took_ns)::bigint // 4 as tool_ns, 0 as retrieval_ns, sum(took_ns)::bigint // 50 as critical_wasted_ns,
       300 * count(*) as tokens_input, 60 * count(*) as tokens_output, 400000 * count(*) as cost_nano_usd
from called
group by all;

insert into store.rollup_edge by name
select 1 as level, bucket_ns, workflow, workflow_version, environment, '' as scope, came_from as from_node, name as to_node,
       null as exit, count(*) as transitions
from (select *, lag(name) over (partition by run_id order by position) as came_from from called where scope = '')
group by all
union all
select 1, bucket_ns, workflow, workflow_version, environment, '', 'send', null, 'end', count(*)
from began
where outcome <> 'failed'
group by all
union all
select 1, bucket_ns, workflow, workflow_version, environment, scope, null, name, null, count(*)
from called
where inner_of is not null
group by all;

insert into store.rollup_latency by name
select 1 as level, bucket_ns, workflow, workflow_version, environment, scope, name as step,
       floor(8 * log2(took_ns))::integer as octave_8, count(*) as observations
from called
group by all
union all
select 1, bucket_ns, workflow, workflow_version, environment, '', null, floor(8 * log2(length_ns))::integer, count(*)
from began
group by all;

insert into store.rollup_call by name
select 1 as level, bucket_ns, workflow, workflow_version, environment, step, name, kind,
       case when kind = 'tool' then name end as tool, case when kind = 'llm' then name end as model,
       case when kind = 'llm' then 'openai' end as provider, tries::integer as tries, count(*) as operations,
       count(*) filter (tries > 1) as recovered, count(*) filter (is_broken) as failed,
       sum(took_ns * (tries - 1))::bigint as wasted_ns, sum(300 * (tries - 1)) as wasted_tokens,
       sum(400000 * (tries - 1)) as wasted_nano_usd
from called
group by all;

insert into store.rollup_failure by name
select 1 as level, bucket_ns, workflow, workflow_version, environment, name as step,
       code, layer_a, layer_b, 'observed' as certainty, 'high' as severity,
       false as recovered, outcome = 'silent' as silent, count(*) as failures, count(*) as runs
from called
where is_broken
group by all;
