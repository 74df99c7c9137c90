-- rollup_run: runs that began in each 5 minutes, by how they ended. Several rows may hold one key: sum them.
create or replace view rollup_run as
select bucket_ns, workflow, workflow_version, environment, outcome, verdict, layer_a, layer_b, code,
       failing_step, runs, rescued, operations, attempts, tokens_input, tokens_output, cost_nano_usd / 1e9 as
       cost_usd, duration_ns, model_ns, tool_ns, retrieval_ns, critical_wasted_ns
from store.rollup_run;
