-- workflow_runs: how the runs of every workflow ended. One row per workflow, the busiest first.
-- `rescued`: clean or recovered runs that hold a failed depth-1 operation. Open runs are not counted.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
select workflow,
       coalesce(sum(case when outcome in ('clean', 'recovered', 'silent', 'failed') then runs else 0 end), 0)::bigint as finished,
       coalesce(sum(case when outcome = 'clean' then runs else 0 end), 0)::bigint as clean,
       coalesce(sum(case when outcome = 'recovered' then runs else 0 end), 0)::bigint as recovered,
       coalesce(sum(case when outcome = 'silent' then runs else 0 end), 0)::bigint as silent,
       coalesce(sum(case when outcome = 'failed' then runs else 0 end), 0)::bigint as failed,
       coalesce(sum(case when outcome = 'pending' then runs else 0 end), 0)::bigint as pending,
       coalesce(sum(rescued), 0)::bigint as rescued,
       coalesce(sum(case when verdict = 'pass' then runs else 0 end), 0)::bigint as verdict_pass,
       coalesce(sum(case when verdict = 'fail' then runs else 0 end), 0)::bigint as verdict_fail
from rollup_run_between($since_ns, $until_ns, 3)
where ($workflow = '' or workflow = $workflow)
  and ($version = '' or workflow_version = $version)
  and in_environment(environment, $environment)
group by workflow
having sum(runs) > 0
order by sum(runs) desc, workflow
