-- rollup_failure: root occurrences, by the 5 minutes the run began in. Several rows may hold one key: sum them.
create or replace view rollup_failure as
select bucket_ns, workflow, workflow_version, environment, step, code, layer_a, layer_b, certainty, severity,
       recovered, silent, failures, runs
from store.rollup_failure;
