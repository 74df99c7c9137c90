-- run_failures: what failed in one run, the explaining ones first. One row per occurrence, at most 100.
--   $run_id varchar
select f.span_id, f.trace_id, f.step, f.code, f.layer_a, f.certainty, f.severity, f.role, f.recovered, f.silent, f.evidence, f.error_type,
       f.at_ns, s.kind, s.name, s.error_message, s.in_band_error, s.attempt, s.duration_ns
from failure f
left join step s on s.run_id = f.run_id and s.span_id = f.span_id and s.trace_id = f.trace_id
where f.run_id = $run_id
order by f.role = 'root' desc, f.recovered, f.at_ns, f.span_id, f.code
limit 100
