-- most_tries: how often an operation was tried at most. One row per (dimension, name), named as in calls_named.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select dimension, name, max(tries) as most_tries
from (
    select dimension, name, tries
    from calls_named($since_ns, $until_ns, 3, $workflow, $version, $environment)
    where tries > 1
    group by all
    having sum(operations) > 0
)
group by dimension, name
order by dimension, name
