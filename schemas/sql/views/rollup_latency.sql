-- rollup_latency: lengths in eighths of an octave, by the 5 minutes the run began in. Several rows may hold one key: sum them.
create or replace view rollup_latency as
select bucket_ns, workflow, workflow_version, environment, scope, step, octave_8, observations
from store.rollup_latency;
