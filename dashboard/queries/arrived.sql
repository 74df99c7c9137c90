-- arrived: who sends what. One row per (service, scope, dialect, framework), last seen first, at most 200.
--   $since_ns, $until_ns     bigint, half-open [since, until); spans by the time of receiving, without an end; runs by their start
--   $workflow, $version, $environment  varchar, '' for all, of the runs (environment: see in_environment)
-- `runs`: those that began then and hold spans of this service and of a scope of this name.
with of_trace as (  -- a row a trace first: counting distinct ids of millions of spans costs half as much again
    select service, scope_id, dialect, framework, trace_id, count(*) as spans, count(gaps) as spans_with_gaps,
           max(received_ns) as last_ns
    from span
    where received_ns >= $since_ns::ubigint
    group by all
),
sent as (
    select service, scope_id, dialect, framework, sum(spans)::bigint as spans, count(*) as traces,
           sum(spans_with_gaps)::bigint as spans_with_gaps, max(last_ns) as last_ns
    from of_trace
    group by all
),
began as (
    select service, s.name as scope_name, count(distinct run_id) as runs
    from of_trace join trace using (trace_id) left join scope s using (scope_id)
    where run_id in (select run_id from run
                     where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
                       and ($workflow = '' or workflow = $workflow)
                       and ($version = '' or workflow_version = $version)
                       and in_environment(environment, $environment))
    group by all
)
select sent.service, s.name as scope_name, s.version as scope_version, dialect, framework, spans, traces, spans_with_gaps,
       coalesce(runs, 0) as runs, last_ns
from sent
left join scope s using (scope_id)
left join began b on b.service is not distinct from sent.service and b.scope_name is not distinct from s.name
order by last_ns desc, sent.service, s.name, scope_version, dialect, framework
limit 200
