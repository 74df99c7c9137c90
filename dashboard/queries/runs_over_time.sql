-- runs_over_time: how many runs began when, and how they ended.
-- One row per (bucket, state); empty buckets are absent.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $bucket_ns               bigint
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $states                  varchar[], [] for all; an outcome, where `open` is split into running and abandoned
--   $abandoned_ns            bigint; an open run that received nothing since then is abandoned
-- Measured at 1 million runs, 2 threads: 15 ms. With a text it is runs_found_over_time: the look into `step` triples it.
select (start_ns // $bucket_ns::ubigint) * $bucket_ns::ubigint as bucket_ns, state, count(*) as runs
from (
    select *, case when outcome <> 'open' then outcome
                   when last_received_ns < $abandoned_ns::ubigint then 'abandoned' else 'running' end as state
    from run
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
)
where len($states::varchar[]) = 0 or list_contains($states::varchar[], state)
group by bucket_ns, state
order by bucket_ns, state
