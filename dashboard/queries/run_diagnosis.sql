-- run_diagnosis: what failed in one run. One row per root occurrence, the run's primary one first, at most 12; `roots` counts all.
-- What was tried at the primary one and what came of it tells run_aftermath: planned at once, they are there in half the time.
--   $run_id                                varchar
--   $start_ns, $last_ns                    bigint, inclusive; between which its steps began
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (names of spans that are no steps)
with this as materialized (
    select origin_span_id from run where run_id = $run_id and start_ns = $start_ns::ubigint
),
found as materialized (select * from failure where run_id = $run_id and run_start_ns = $start_ns::ubigint),
root as materialized (
    select f.*, f.span_id is not distinct from (select origin_span_id from this) as is_primary, count(*) over () as roots
    from found f
    where f.role = 'root'
    order by is_primary desc, f.recovered, f.severity = 'low', f.at_ns, f.span_id, f.code
    limit 12
),
near as materialized (   -- the steps that failed, and those that gave them what they worked on
    select trace_id, span_id, kind, name, chain_step, depth, attempt, operation_id, duration_ns, status, error_type, error_message,
           in_band_error
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and span_id in (select span_id from root union all select issuer_span_id from root)
),
name as materialized (
    select trace_id, span_id, kind, name from near
    union all
    select trace_id, span_id, step_kind, step_name
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and (trace_id, span_id) in (select (trace_id, span_id) from root)
      and (trace_id, span_id) not in (select (trace_id, span_id) from near)
)
select r.trace_id, r.span_id, r.is_primary, r.roots, r.step, r.code, r.layer_a, r.layer_b, r.certainty, r.severity, r.recovered,
       r.silent, r.trigger, r.contributing, r.evidence, coalesce(r.error_type, s.error_type) as error_type, r.at_ns, r.rule_id,
       r.rule_version, coalesce(n.kind, 'chain') as kind, n.name, s.chain_step, s.attempt, s.duration_ns,
       s.status = 'failed' or s.in_band_error is not null or s.span_id is null as shows_failure,
       coalesce(s.error_type, s.error_message) is null and s.in_band_error is not null as is_in_band,
       coalesce(s.error_type, s.error_message, s.in_band_error) is not null or s.span_id is null as says_error,
       i.span_id as issuer_span_id, i.name as issuer_name, i.kind as issuer_kind
from root r
left join name n on n.trace_id = r.trace_id and n.span_id = r.span_id
left join near s on s.trace_id = r.trace_id and s.span_id = r.span_id
left join near i on i.span_id = r.issuer_span_id and i.span_id <> r.span_id
order by r.is_primary desc, r.recovered, r.severity = 'low', r.at_ns, r.span_id, r.code
