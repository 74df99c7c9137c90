-- failure_backlog: errors that no rule knows, by exception class and instrumentation scope: what rules are wanted for.
-- One row per (error_type, scope), most frequent first, at most 20. Either is NULL where the spans do not say.
--   $since_ns, $until_ns               bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
-- A span comes after its failure's run began, so `received_ns` bounds the look into `span` where clocks agree to an hour.
with found as materialized (
    select f.run_id, f.trace_id, f.span_id, f.error_type, f.evidence, f.at_ns, s.kind
    from failure f
    join run r using (run_id)
    left join step s on s.run_id = f.run_id and s.trace_id = f.trace_id and s.span_id = f.span_id
        and s.start_ns >= $since_ns::ubigint
    where f.at_ns >= $since_ns::ubigint and f.role = 'root' and f.code = 'unclassified'
      and r.start_ns >= $since_ns::ubigint and r.start_ns < $until_ns::ubigint
      and ($workflow = '' or r.workflow = $workflow)
      and ($version = '' or r.workflow_version = $version)
      and in_environment(r.environment, $environment)
    order by f.at_ns desc, f.run_id, f.span_id
    limit 5000
)
select f.error_type, p.scope_name, count(*) as failures, count(distinct f.run_id) as runs, mode(f.kind) as kind,
       max_by(f.run_id, (f.at_ns, f.run_id)) as run_id, max_by(f.span_id, (f.at_ns, f.run_id)) as span_id,
       max_by(f.evidence, (f.at_ns, f.run_id)) as evidence, max(f.at_ns) as newest_ns
from found f
left join (select trace_id, span_id, scope_name from span
           where received_ns >= greatest($since_ns::bigint - 3600000000000, 0)::ubigint
             and trace_id in (select trace_id from found)) p
    on p.trace_id = f.trace_id and p.span_id = f.span_id
group by f.error_type, p.scope_name
order by failures desc, f.error_type, p.scope_name
limit 20
