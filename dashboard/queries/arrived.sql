-- arrived: who sends what. One row per (service, scope, dialect, framework), last seen first, at most 200.
--   $since_ns bigint, over the time of receiving
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
)
select service, s.name as scope_name, s.version as scope_version, dialect, framework, spans, traces, spans_with_gaps, last_ns
from sent left join scope s using (scope_id)
order by last_ns desc, service, scope_name, scope_version, dialect, framework
limit 200
