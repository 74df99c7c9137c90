-- rollup_step: operations of each step and node, by the 5 minutes their run began in. Several rows may hold one key: sum them.
create or replace view rollup_step as
select bucket_ns, workflow, workflow_version, environment, scope, node, step, kind, operations, first_good,
       good, trials, trials_first_good, trials_good, attempts, runs, self_ns, duration_ns, wasted_ns,
       critical_ns, critical_runs, model_ns, tool_ns, retrieval_ns, critical_wasted_ns, tokens_input,
       tokens_output, cost_nano_usd / 1e9 as cost_usd
from store.rollup_step;
