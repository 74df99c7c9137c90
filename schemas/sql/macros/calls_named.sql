-- calls_named: calls by what operations are counted by, over time. Several rows may hold one key: sum them.
-- Named as in call_names. Arguments: a window in whole 5 minutes, its grain as in rollup_call_between, and '' for all workflows,
-- versions and what in_environment says.
create or replace macro calls_named(since_ns, until_ns, coarsest, of_workflow, of_version, of_environment) as table
select bucket_ns, workflow, step, dimension, n.name, named, tries, operations, failed, recovered, wasted_ns, wasted_tokens, wasted_usd
from calls_keyed(since_ns, until_ns, coarsest, of_workflow, of_version, of_environment)
join call_names(since_ns, until_ns, of_workflow) n using (call);
