-- arrived: who sends what. One row per (service, scope, dialect, framework), last seen first, at most 200.
--   $since_ns, $until_ns bigint, spans by the time of receiving, in whole minutes
select service, scope_name, scope_version, dialect, framework, sum(spans)::bigint as spans,
       sum(spans_with_gaps)::bigint as spans_with_gaps, max(last_ns) as last_ns
from ingest_source
where minute_ns > $since_ns::ubigint - 60000000000 and minute_ns < $until_ns::ubigint
group by service, scope_name, scope_version, dialect, framework
order by last_ns desc, service, scope_name, scope_version, dialect, framework
limit 200
