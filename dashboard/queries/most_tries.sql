-- most_tries: how often an operation was tried at most. One row per (workflow, dimension, name), named as in call_names; `workflow`
-- is its owner.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with seen as (
    select call, tries
    from calls_keyed($since_ns, $until_ns, 3, $workflow, $version, $environment)
    where tries > 1
    group by call, tries
    having sum(operations) > 0
)
select owner as workflow, dimension, name, max(tries) as most_tries
from seen join call_names($since_ns, $until_ns, $workflow) using (call)
group by owner, dimension, name
order by dimension, name, owner
