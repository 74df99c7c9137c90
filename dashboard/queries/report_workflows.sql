-- report_workflows: which workflows ran, in which versions and environments.
-- One row per (workflow, workflow_version, environment). Open runs are not counted, see report_unfinished.
--   $since_ns, $until_ns  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $environment          varchar, see in_environment
select workflow, workflow_version, environment, sum(runs)::bigint as runs,
       sum(case when outcome in ('clean', 'recovered', 'silent', 'failed') then runs else 0 end)::bigint as finished,
       sum(case when outcome in ('silent', 'failed') then runs else 0 end)::bigint as lost
from rollup_run_between($since_ns, $until_ns, 3)
where in_environment(environment, $environment)
group by workflow, workflow_version, environment
having sum(runs) > 0
order by workflow, workflow_version nulls first, environment nulls first
