-- run_verdicts: what outside judges said of one run and its spans, those that decide its verdict first. One row per judgement.
-- `about` is the name of the step that was judged; NULL: the run as a whole, or a span that is no step.
--   $run_id             varchar
--   $start_ns, $last_ns bigint, inclusive; between which its steps began
select v.verdict, v.name, v.score, v.label, v.explanation, v.source, v.decides, v.at_ns, v.span_id, s.name as about
from verdict v
left join step s on s.run_id = $run_id and s.start_ns >= $start_ns::ubigint and s.start_ns <= $last_ns::ubigint
                and s.trace_id = v.trace_id and s.span_id = v.span_id
where v.run_id = $run_id
order by v.decides desc, v.at_ns, v.name, v.source, v.span_id
limit 200
