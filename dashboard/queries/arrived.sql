-- arrived: who sends what. One row per (service, scope, dialect), last seen first, at most 200.
--   $since_ns bigint, over the time of receiving
select service, scope_name, scope_version, dialect, framework, count(*) as spans, count(distinct trace_id) as traces,
       count(gaps) as spans_with_gaps, max(received_ns) as last_ns
from span
where received_ns >= $since_ns::ubigint
group by service, scope_name, scope_version, dialect, framework
order by last_ns desc, service, scope_name, scope_version, dialect, framework
limit 200
