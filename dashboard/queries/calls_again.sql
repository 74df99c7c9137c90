-- calls_again: operations that were tried more than once, failed or lost something, as the roll-ups hold them; calls_once has all others.
-- Several rows, in any order, may hold one bucket, call and number of tries.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select bucket_ns, call, tries, operations, failed, recovered, wasted_ns, wasted_tokens, round(wasted_usd * 1e9)::bigint as wasted_nano_usd
from calls_keyed($since_ns, $until_ns, 1, $workflow, $version, $environment)
where not (tries = 1 and failed = 0 and recovered = 0 and wasted_ns = 0 and wasted_tokens = 0 and wasted_usd = 0)
