-- run_failures: the steps of one run that failed or answered with an error, explaining ones first. One row per step
-- and code, at most 100. Code, layer and evidence are NULL where no rule has named the failure.
--   $run_id varchar
select s.span_id, s.trace_id, s.kind, s.name, s.chain_step, s.attempt, s.duration_ns, s.error_type, s.error_message,
       s.in_band_error, f.code, f.layer_a, f.certainty, f.role, f.recovered, f.evidence
from step s
left join failure f on f.run_id = s.run_id and f.trace_id = s.trace_id and f.span_id = s.span_id
where s.run_id = $run_id and (s.status = 'failed' or s.in_band_error is not null or f.code is not null)
order by f.role = 'root' desc nulls last, s.position, s.span_id, f.code
limit 100
