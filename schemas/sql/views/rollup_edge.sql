-- rollup_edge: what followed what, by the 5 minutes the run began in. Several rows may hold one key: sum them.
create or replace view rollup_edge as
select bucket_ns, workflow, workflow_version, environment, scope, from_node, to_node, exit, transitions
from store.rollup_edge;
