-- run_aftermath: what was tried where a run's primary root occurrence lies, what it passed through and what came after. At most one row.
--   $run_id                                varchar
--   $start_ns, $last_ns                    bigint, inclusive; between which its steps began
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (names of spans that are no steps)
-- tries_ns runs from the start of the first try to where the good one began, or to the end of the last; tries_tokens are
-- those of failed tries and all below them, each once; after_ns and after_tokens are what the run went on to spend. NULL: not
-- known, or nothing failed that was tried. hidden_*: the span that ended well although this lay below it.
-- Measured at 1 million steps, 2,000 of them failed: a fifth of the processor time of a plain join of tries and what follows them.
with this as materialized (
    select origin_span_id, end_ns from run where run_id = $run_id and start_ns = $start_ns::ubigint
),
found as materialized (select * from failure where run_id = $run_id and run_start_ns = $start_ns::ubigint),
main as materialized (
    select *
    from found
    where role = 'root' and span_id = (select origin_span_id from this)
    order by recovered, severity = 'low', at_ns, code
    limit 1
),
near as materialized (
    select trace_id, span_id, kind, name, depth, operation_id
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and span_id in (select span_id from found)
),
name as materialized (
    select trace_id, span_id, kind, name from near
    union all
    select trace_id, span_id, step_kind, step_name
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and (trace_id, span_id) in (select (trace_id, span_id) from found)
      and (trace_id, span_id) not in (select (trace_id, span_id) from near)
),
passed as materialized (   -- the primary occurrence and what points at it
    select f.role, f.code, f.at_ns, f.span_id, n.name, n.kind, m.depth, m.operation_id
    from found f
    cross join (select span_id as main_span_id from main) p
    left join name n using (trace_id, span_id)
    left join near m using (trace_id, span_id)
    where f.span_id = p.main_span_id or f.root_span_id = p.main_span_id
),
operated as materialized (
    select operation_id, attempts, evidence
    from operation
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and operation_id in (select operation_id from passed)
),
tried as materialized (   -- the operation that was tried most often, the innermost of those
    select arg_min(operation_id, (-coalesce(attempts, 1), -depth, span_id)) as operation_id
    from passed left join operated using (operation_id)
    where code <> 'recovery.silent_failure' and depth is not null
),
try as materialized (
    select span_id, name, kind, start_ns, end_ns, attempt, position, depth, status = 'failed' or in_band_error is not null as is_bad,
           status = 'ok' and in_band_error is null and attempt > 1 as is_good
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and operation_id in (select operation_id from tried)
),
tries as (
    select any_value(name) as name, any_value(kind) as kind, count(*) filter (where is_bad) as failed_tries,
           min(start_ns) filter (where is_bad) as first_ns, max(end_ns) filter (where is_bad) as last_ns,
           max_by(span_id, attempt) filter (where is_good) as good_span_id, max(attempt) filter (where is_good) as good_attempt,
           max_by(start_ns, attempt) filter (where is_good) as good_ns
    from try
),
bad as materialized (select position, depth from try where is_bad),
reach as materialized (   -- from the first bad try to where none goes on
    select (select min(position) from bad) as first,
           (select min(position) from step
            where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
              and position > (select max(position) from bad) and depth <= (select min(depth) from bad)) as next
),
inside as materialized (
    select position, depth, coalesce(tokens_input, 0) + coalesce(tokens_output, 0) as tokens,
           tokens_input is not null or tokens_output is not null as is_counted
    from step
    where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
      and position >= (select first from reach) and position < (select coalesce(next, 2147483647) from reach)
),
until as materialized (   -- how far the bad tries up to here reach: they lie apart or within each other
    select b.position, max(coalesce(e.position, 2147483647)) over (order by b.position) as next
    from bad b
    asof left join (select d.depth, i.position from (select distinct depth from bad) d join inside i on i.depth <= d.depth) e
        on e.depth = b.depth and e.position > b.position
)
select o.attempts as tries, o.evidence as tries_evidence, t.name as tries_name, t.kind as tries_kind,
       t.failed_tries, t.good_attempt, t.good_span_id,
       case when coalesce(t.good_ns, t.last_ns) >= t.first_ns then coalesce(t.good_ns, t.last_ns) - t.first_ns end as tries_ns,
       (select sum(b.tokens)::bigint from inside b asof join until u on b.position >= u.position
        where b.is_counted and b.position < u.next) as tries_tokens,
       (select case when end_ns >= p.at_ns then end_ns - p.at_ns end from this) as after_ns,
       (select sum(coalesce(tokens_input, 0) + coalesce(tokens_output, 0))::bigint from step
        where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
          and start_ns >= (select at_ns from main)
          and (tokens_input is not null or tokens_output is not null)) as after_tokens,
       w.*, c.spans as collateral, c.span_id as collateral_span_id
from main p
cross join tries t
left join operated o on o.operation_id = (select operation_id from tried)
cross join (
    select nullif(count(*) filter (where is_passed), 0) as passed_on,
           list(name order by depth desc nulls last, at_ns, span_id) filter (where is_passed)[:3] as passed_on_names,
           min_by(span_id, (-coalesce(depth, 0), at_ns, span_id)) filter (where is_passed) as passed_on_span_id,
           any_value(span_id) filter (where is_hiding) as hidden_span_id, any_value(name) filter (where is_hiding) as hidden_name,
           any_value(kind) filter (where is_hiding) as hidden_kind
    from (select *, role = 'propagated' and code <> 'recovery.silent_failure' as is_passed,
                 role = 'propagated' and code = 'recovery.silent_failure' as is_hiding from passed)
) w
cross join (select count(*) as spans, min_by(span_id, (at_ns, span_id)) as span_id from found where role = 'collateral') c
