-- run_diagnosis: what failed in one run and what came of it. One row per root occurrence, the run's primary one first,
-- at most 12; `roots` counts all.
--   $run_id                                varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (names of spans that are no steps)
-- tries_ns runs from the start of the first try to where the good one began, or to the end of the last; tries_tokens are
-- those of failed tries and all below them; after_ns and after_tokens are what the run went on to spend. NULL: not known,
-- or nothing failed that was tried. hidden_*: the span that ended well although this lay below it.
with this as (select * from run where run_id = $run_id),
member as materialized (select * from step where run_id = $run_id),
found as materialized (select * from failure where run_id = $run_id),
name as (
    select trace_id, span_id, kind, name from member
    union all
    select trace_id, span_id, step_kind, step_name
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and (trace_id, span_id) in (select (trace_id, span_id) from found)
      and (trace_id, span_id) not in (select (trace_id, span_id) from member)
),
root as materialized (
    select f.*, f.span_id = r.origin_span_id as is_primary, count(*) over () as roots
    from found f, this r
    where f.role = 'root'
    order by is_primary desc, f.recovered, f.severity = 'low', f.at_ns, f.span_id, f.code
    limit 12
),
reach as (   -- the failed step and those it passed through: one of them may have been tried again
    select r.span_id as root_span_id, s.*
    from root r, found f, member s
    where (f.span_id = r.span_id or f.root_span_id = r.span_id) and f.code <> 'recovery.silent_failure'
      and s.trace_id = f.trace_id and s.span_id = f.span_id
),
tried as (   -- the operation that was tried most often, the innermost of those
    select s.root_span_id, arg_min(s.operation_id, (-coalesce(o.attempts, 1), -s.depth, s.span_id)) as operation_id
    from reach s
    left join operation o on o.run_id = $run_id and o.operation_id = s.operation_id
    group by s.root_span_id
),
try as (
    select t.root_span_id, a.*, a.status = 'failed' or a.in_band_error is not null as is_bad,
           (select min(b.position) from member b where b.position > a.position and b.depth <= a.depth) as next_position
    from tried t
    join member a using (operation_id)
),
tries as (
    select t.root_span_id, any_value(o.attempts) as tries, any_value(o.evidence) as evidence, any_value(t.name) as name,
           any_value(t.kind) as kind, count(*) filter (where is_bad) as failed_tries, min(t.start_ns) filter (where is_bad) as first_ns,
           max(t.end_ns) filter (where is_bad) as last_ns, max_by(t.span_id, t.attempt) filter (where is_good) as good_span_id,
           max(t.attempt) filter (where is_good) as good_attempt, max_by(t.start_ns, t.attempt) filter (where is_good) as good_ns
    from (select *, not is_bad and status = 'ok' and attempt > 1 as is_good from try) t
    left join operation o on o.run_id = $run_id and o.trace_id = t.trace_id and o.operation_id = t.operation_id
    group by t.root_span_id
),
tries_tokens as (
    select t.root_span_id, sum(coalesce(b.tokens_input, 0) + coalesce(b.tokens_output, 0))::bigint as tokens
    from try t
    join member b on b.position >= t.position and (t.next_position is null or b.position < t.next_position)
    where t.is_bad and (b.tokens_input is not null or b.tokens_output is not null)
    group by t.root_span_id
),
passed_on as (
    select f.root_span_id, count(*) as spans, list(n.name order by m.depth desc nulls last, f.at_ns, f.span_id)[:3] as names,
           min_by(f.span_id, (-coalesce(m.depth, 0), f.at_ns, f.span_id)) as span_id
    from found f
    left join name n using (trace_id, span_id)
    left join member m using (trace_id, span_id)
    where f.role = 'propagated' and f.code <> 'recovery.silent_failure'
    group by f.root_span_id
),
hiding as (
    select f.root_span_id, any_value(f.span_id) as span_id, any_value(n.name) as name, any_value(n.kind) as kind
    from found f
    left join name n using (trace_id, span_id)
    where f.role = 'propagated' and f.code = 'recovery.silent_failure'
    group by f.root_span_id
),
collateral as (
    select count(*) as spans, min_by(span_id, (at_ns, span_id)) as span_id from found where role = 'collateral'
)
select r.trace_id, r.span_id, r.is_primary, r.roots, r.step, r.code, r.layer_a, r.layer_b, r.certainty, r.severity, r.recovered,
       r.silent, r.trigger, r.contributing, r.evidence, coalesce(r.error_type, s.error_type) as error_type, r.at_ns, r.rule_id,
       r.rule_version, coalesce(n.kind, 'chain') as kind, n.name, s.chain_step, s.attempt, s.duration_ns,
       s.status = 'failed' or s.in_band_error is not null or s.span_id is null as shows_failure,
       coalesce(s.error_type, s.error_message) is null and s.in_band_error is not null as is_in_band,
       coalesce(s.error_type, s.error_message, s.in_band_error) is not null or s.span_id is null as says_error,
       i.span_id as issuer_span_id, i.name as issuer_name, i.kind as issuer_kind,
       t.tries, t.evidence as tries_evidence, t.name as tries_name, t.kind as tries_kind, t.failed_tries, t.good_attempt, t.good_span_id,
       case when coalesce(t.good_ns, t.last_ns) >= t.first_ns then coalesce(t.good_ns, t.last_ns) - t.first_ns end as tries_ns,
       k.tokens as tries_tokens,
       case when this.end_ns >= r.at_ns then this.end_ns - r.at_ns end as after_ns,
       (select sum(coalesce(b.tokens_input, 0) + coalesce(b.tokens_output, 0))::bigint from member b
        where b.start_ns >= r.at_ns and (b.tokens_input is not null or b.tokens_output is not null)) as after_tokens,
       p.spans as passed_on, p.names as passed_on_names, p.span_id as passed_on_span_id,
       h.span_id as hidden_span_id, h.name as hidden_name, h.kind as hidden_kind,
       c.spans as collateral, c.span_id as collateral_span_id
from root r
cross join this
cross join collateral c
left join name n on n.trace_id = r.trace_id and n.span_id = r.span_id
left join member s on s.trace_id = r.trace_id and s.span_id = r.span_id
left join name i on i.span_id = r.issuer_span_id and i.span_id <> r.span_id
left join tries t on t.root_span_id = r.span_id
left join tries_tokens k on k.root_span_id = r.span_id
left join passed_on p on p.root_span_id = r.span_id
left join hiding h on h.root_span_id = r.span_id
order by r.is_primary desc, r.recovered, r.severity = 'low', r.at_ns, r.span_id, r.code
