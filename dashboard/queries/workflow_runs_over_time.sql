-- workflow_runs_over_time: how the runs of every workflow ended, over time. One row per (workflow, bucket).
-- Open runs are not counted; `attempts` and `operations` are of all of them.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $step_ns                              bigint, length of a bucket in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select workflow, (bucket_ns // $step_ns::ubigint * $step_ns::ubigint)::bigint as bucket_ns,
       coalesce(sum(case when outcome in ('clean', 'recovered', 'silent', 'failed') then runs else 0 end), 0)::bigint as finished,
       coalesce(sum(case when outcome = 'clean' then runs else 0 end), 0)::bigint as clean,
       coalesce(sum(case when outcome = 'recovered' then runs else 0 end), 0)::bigint as recovered,
       coalesce(sum(case when outcome = 'silent' then runs else 0 end), 0)::bigint as silent,
       coalesce(sum(case when outcome = 'failed' then runs else 0 end), 0)::bigint as failed,
       coalesce(sum(case when outcome = 'pending' then runs else 0 end), 0)::bigint as pending,
       coalesce(sum(rescued), 0)::bigint as rescued,
       coalesce(sum(case when verdict = 'pass' then runs else 0 end), 0)::bigint as verdict_pass,
       coalesce(sum(case when verdict = 'fail' then runs else 0 end), 0)::bigint as verdict_fail,
       sum(operations)::bigint as operations, sum(attempts)::bigint as attempts
from rollup_run_between($since_ns, $until_ns, coarsest_within($step_ns))
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by all
having sum(runs) > 0
order by workflow, bucket_ns
