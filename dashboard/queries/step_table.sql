-- step_table: what each step of a chain did, took and used.
-- One row per (step, kind). Times are sums in ns: `critical_ns` lies on the critical path of the runs, which is
-- `run_ns` long in all; `wasted_ns` are tries that failed and waiting for the next. `runs` hold the step, `all_runs` is how
-- many there are. Percentiles are those of operations, within 4.4 %; NULL where none has a length. Tokens: NULL not known.
--   $since_ns, $until_ns                  bigint, half-open [since, until) over the start of a run, in whole 5 minutes
--   $workflow, $version, $environment     varchar, '' for all (environment: see in_environment)
--   $scope                                varchar, '' for depth 1, else the names of the steps opened, joined by ' › '
with done as (
    select step, kind, sum(runs)::bigint as runs, sum(operations)::bigint as operations,
           sum(first_good)::bigint as first_good, sum(good)::bigint as good, sum(attempts)::bigint as attempts,
           sum(self_ns)::bigint as self_ns, sum(duration_ns)::bigint as duration_ns,
           sum(wasted_ns)::bigint as wasted_ns, sum(critical_ns)::bigint as critical_ns,
           sum(critical_runs)::bigint as critical_runs, sum(model_ns)::bigint as model_ns,
           sum(tool_ns)::bigint as tool_ns, sum(retrieval_ns)::bigint as retrieval_ns,
           sum(critical_wasted_ns)::bigint as critical_wasted_ns,
           nullif(sum(tokens_input), 0)::bigint as tokens_input, nullif(sum(tokens_output), 0)::bigint as tokens_output,
           nullif(round(sum(cost_usd), 9), 0) as cost_usd
    from rollup_step_between($since_ns, $until_ns, 3)
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
      and scope = $scope
    group by step, kind
    having sum(operations) > 0
),
lengths as (
    select step, octave_8, sum(observations) as observations
    from rollup_latency_between($since_ns, $until_ns, 3)
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
      and scope = $scope and step is not null
    group by step, octave_8
    having sum(observations) > 0
),
ranked as (
    select step, octave_8, sum(observations) over (partition by step order by octave_8) as reached,
           sum(observations) over (partition by step) as total
    from lengths
),
percentiles as (
    select step,
           pow(2, (min(case when reached >= ceil(0.5 * total) then octave_8 end) + 0.5) / 8)::bigint as p50_ns,
           pow(2, (min(case when reached >= ceil(0.9 * total) then octave_8 end) + 0.5) / 8)::bigint as p90_ns,
           pow(2, (min(case when reached >= ceil(0.95 * total) then octave_8 end) + 0.5) / 8)::bigint as p95_ns,
           pow(2, (min(case when reached >= ceil(0.99 * total) then octave_8 end) + 0.5) / 8)::bigint as p99_ns
    from ranked
    group by step
),
whole as (
    select coalesce(sum(runs), 0)::bigint as all_runs, coalesce(sum(duration_ns), 0)::bigint as run_ns
    from rollup_run_between($since_ns, $until_ns, 3)
    where ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
)
select done.*, p50_ns, p90_ns, p95_ns, p99_ns, all_runs, run_ns
from done cross join whole left join percentiles using (step)
order by step, kind
