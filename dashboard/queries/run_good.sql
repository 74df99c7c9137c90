-- run_good: the good run nearest to a given one, to compare it with. At most one row.
-- Good: of the same workflow, finished clean or recovered, and nobody's verdict says otherwise. Nearest: the same version and
-- environment before another; then the same input of the root span; then the start closest in time.
--   $run_id                          varchar
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up of its input short)
--   $start_ns                        bigint; when it began
--   $since_ns, $until_ns             bigint, half-open; between which the good run began, and its spans came
with this as materialized (select * from run where run_id = $run_id and start_ns = $start_ns::ubigint),
given as (
    select s.input_hash
    from span s, this r
    where s.received_ns >= $first_received_ns::ubigint and s.received_ns <= $last_received_ns::ubigint
      and s.trace_id = r.root_trace_id and s.span_id = r.root_span_id and s.input_hash is not null
),
alike as (
    select trace_id, span_id
    from span
    where received_ns >= $since_ns::ubigint and received_ns < $until_ns::ubigint and input_hash in (select input_hash from given)
)
select o.run_id, o.workflow_version is not distinct from r.workflow_version as same_version,
       o.environment is not distinct from r.environment as same_environment,
       (o.root_trace_id, o.root_span_id) in (select (trace_id, span_id) from alike) as same_input
from run o, this r
where o.start_ns >= $since_ns::ubigint and o.start_ns < $until_ns::ubigint
  and o.workflow = r.workflow and o.run_id <> r.run_id and o.outcome in ('clean', 'recovered')
  and o.verdict is distinct from 'fail'
order by same_version and same_environment desc, same_input desc,
         case when o.start_ns > r.start_ns then o.start_ns - r.start_ns else r.start_ns - o.start_ns end, o.run_id
limit 1
