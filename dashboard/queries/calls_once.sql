-- calls_once: operations that took one try, went well and lost nothing, as the roll-ups hold them; calls_again has all others.
-- Several rows, in any order, may hold one bucket and call, which calls_known tells the names of: to sum them up here, for each of its
-- names, takes four times as long as to hand them on, at 1 million runs.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select bucket_ns, call, operations
from calls_keyed($since_ns, $until_ns, 1, $workflow, $version, $environment)
where tries = 1 and failed = 0 and recovered = 0 and wasted_ns = 0 and wasted_tokens = 0 and wasted_usd = 0
