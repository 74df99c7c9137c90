-- run_failures: what failed or answered with an error in one run, explaining occurrences first. One row per span and
-- code, at most 100. Code, layers, rule and evidence are NULL where no rule has looked at a step.
--   $run_id                                varchar
--   $start_ns, $last_ns                    bigint, inclusive; between which its steps began
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (names of spans that are no steps)
with member as materialized (
    select * from step where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
),
found as materialized (select * from failure where run_id = $run_id and run_start_ns = $start_ns::ubigint),
other as (
    select trace_id, span_id, step_kind, step_name, case when end_ns >= start_ns then end_ns - start_ns end as duration_ns,
           error_message, in_band_error
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and (trace_id, span_id) in (select (trace_id, span_id) from found)
),
trouble as (
    select trace_id, span_id, f.* exclude (trace_id, span_id)
    from found f
    full join (select trace_id, span_id from member where status = 'failed' or in_band_error is not null) m
        using (trace_id, span_id)
)
select t.trace_id, t.span_id, coalesce(s.kind, o.step_kind, 'chain') as kind, coalesce(s.name, o.step_name) as name,
       coalesce(s.chain_step, t.step) as chain_step, s.attempt, coalesce(s.duration_ns, o.duration_ns) as duration_ns,
       coalesce(s.error_type, t.error_type) as error_type, coalesce(s.error_message, o.error_message) as error_message,
       coalesce(s.in_band_error, o.in_band_error) as in_band_error, t.code, t.layer_a, t.layer_b, t.certainty, t.severity,
       t.role, t.recovered, t.silent, t.trigger, t.contributing, t.evidence, t.root_span_id, t.issuer_span_id, t.rule_id,
       t.rule_version
from trouble t
left join member s using (trace_id, span_id)
left join other o using (trace_id, span_id)
order by t.role = 'root' desc nulls last, t.role = 'collateral', s.position nulls last, t.at_ns, t.span_id, t.code
limit 100
