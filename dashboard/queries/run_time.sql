-- run_time: where the time of one run went, by the own time of its steps. One row per (kind, name), most first.
--   $run_id             varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
select kind, name, count(*) as steps, sum(self_ns)::ubigint as self_ns, count(*) filter (where status = 'failed') as failed,
       coalesce(sum(self_ns) filter (where status = 'failed'), 0)::ubigint as failed_self_ns
from step
where run_id = $run_id and start_ns >= $start_ns::ubigint and start_ns <= $last_ns::ubigint
group by kind, name
order by self_ns desc, kind, name
limit 200
