-- run_reach: a step of one run with all below it: its times, and its first and last place in reading order. At most one row.
--   $run_id, $span_id varchar
select s.position as first, coalesce((select min(n.position) - 1 from step n
                                      where n.run_id = $run_id and n.position > s.position and n.depth <= s.depth),
                                     (select max(n.position) from step n where n.run_id = $run_id)) as last,
       s.start_ns, s.end_ns, s.name
from step s
where s.run_id = $run_id and s.span_id = $span_id
order by s.position
limit 1
