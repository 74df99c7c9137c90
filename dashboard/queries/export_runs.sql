-- export_runs: runs with the columns other programs rely on, a page at a time.
-- One row per run, by start.
--   $after_ns, $after_trace, $after_id   position of the last row of the page before; 0, '', '' for the first
--   $limit                               bigint, rows of a page
select run_id, root_trace_id, trace_ids, workflow, workflow_version, session_id, start_ns, end_ns, outcome, verdict,
       code, layer_a, layer_b, failing_step, origin_span_id, chain, operations, attempts, tokens_input, tokens_output,
       cost_usd, rule_version,
       start_ns as cursor_ns, root_trace_id as cursor_trace, run_id as cursor_id
from run
where start_ns >= $after_ns
  and (start_ns > $after_ns or root_trace_id > $after_trace or (root_trace_id = $after_trace and run_id > $after_id))
order by cursor_ns, cursor_trace, cursor_id
limit $limit
