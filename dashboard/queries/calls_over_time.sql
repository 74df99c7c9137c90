-- calls_over_time: operations and their tries, over time, by step and by what steps depend on, named as in calls_named.
-- One row per (bucket, dimension, name). `most_tries`: of one operation.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $step_ns                              bigint, length of a bucket in whole 5 minutes; buckets begin at its multiples
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select bucket_ns // $step_ns::ubigint * $step_ns::ubigint as bucket_ns, dimension, name,
       sum(operations)::bigint as operations, sum(tries * operations)::bigint as attempts, sum(failed)::bigint as failed,
       sum(recovered)::bigint as recovered, max(tries) filter (where operations > 0) as most_tries,
       sum(wasted_ns)::bigint as wasted_ns, sum(wasted_tokens)::bigint as wasted_tokens,
       round(sum(wasted_usd), 9) as wasted_usd
from calls_named($since_ns, $until_ns,
                 case when $step_ns % 86400000000000 = 0 then 3 when $step_ns % 3600000000000 = 0 then 2 else 1 end,
                 $workflow, $version, $environment)
group by all
having sum(operations) > 0
order by bucket_ns, dimension, name
