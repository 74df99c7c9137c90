-- run_latency: how long runs took. One row per workflow: `runs` of known length and percentiles within 4.4 %.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
with lengths as (
    select workflow, octave_8, sum(observations) as observations
    from rollup_latency_between($since_ns, $until_ns, 3)
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
      and scope = '' and step is null
    group by workflow, octave_8
    having sum(observations) > 0
),
ranked as (
    select workflow, octave_8, sum(observations) over (partition by workflow order by octave_8) as reached,
           sum(observations) over (partition by workflow) as total
    from lengths
)
select workflow, max(total)::bigint as runs,
       pow(2, (min(case when reached >= ceil(0.5 * total) then octave_8 end) + 0.5) / 8)::bigint as p50_ns,
       pow(2, (min(case when reached >= ceil(0.9 * total) then octave_8 end) + 0.5) / 8)::bigint as p90_ns,
       pow(2, (min(case when reached >= ceil(0.95 * total) then octave_8 end) + 0.5) / 8)::bigint as p95_ns,
       pow(2, (min(case when reached >= ceil(0.99 * total) then octave_8 end) + 0.5) / 8)::bigint as p99_ns
from ranked
group by workflow
order by workflow
