-- run_reach: a step of one run with all below it: its times, and its first and last place in reading order. At most one row.
--   $run_id, $span_id   varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
with member as not materialized (
    select * from step where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
)
select s.position as first, coalesce((select min(n.position) - 1 from member n where n.position > s.position and n.depth <= s.depth),
                                     (select max(n.position) from member n)) as last,
       s.start_ns, s.end_ns, s.name
from member s
where s.span_id = $span_id
order by s.position
limit 1
