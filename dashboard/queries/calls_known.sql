-- calls_known: by what the calls of a window are counted, as in call_names. One row per (call, dimension).
--   $since_ns, $until_ns   bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow              varchar, '' for all
select call, workflow, step, dimension, name, owner
from call_names($since_ns, $until_ns, $workflow)
order by dimension, name, owner, call
