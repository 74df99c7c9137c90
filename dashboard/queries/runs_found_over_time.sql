-- runs_found_over_time: how many runs that hold a text or a failure began when, and how they ended.
-- One row per (bucket, state); empty buckets are absent.
--   $since_ns, $until_ns     bigint, half-open [since, until) over the start of a run
--   $bucket_ns               bigint
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $states                  varchar[], [] for all; an outcome, where `open` is split into running and abandoned
--   $text                    varchar, lower case, '' for all; found in ids, session, step names and error texts
--   $failing                 boolean; true: only runs with a root occurrence (or one that such dragged along) that fits all of the following
--   $code, $layer_a, $layer_b, $certainty, $error  varchar, '' for any
--   $steps                   varchar[], [] for any; '' in it stands for failures at no step
--   $fate                    varchar; loud (neither handled nor hidden), silent, recovered, '' for any of these; dragged: passed on or cut off
--   $calling                 boolean; true: only runs with an operation that fits all of the following
--   $called_by, $called      varchar, '' for any; step (named as in calls_named), operation (its own name), tool, model, provider
--   $tries                   bigint; tried so often or more
--   $sending                 boolean; true: only runs with a span that fits all of the following
--   $services, $instrumentations  varchar[], [] for any; '' in them stands for those without; the latter are names of scopes
--   $lost_a, $lost_b         varchar, '' for all; only failed and silent runs whose own layer, that of what decided them, is this
--   $abandoned_ns            bigint; an open run that received nothing since then is abandoned
with unsaid as not materialized (  -- steps of runs that do not hold their words; one column at a time: each is looked through once a dictionary
    select run_id, name, error_type, error_message, in_band_error
    from step
    where $text <> '' and start_ns >= $since_ns::ubigint and run_id in (select run_id from run where words is null and $text <> '')
),
told as not materialized (
    select run_id from unsaid where contains(lower(name), $text)
    union all
    select run_id from unsaid where contains(lower(error_type), $text)
    union all
    select run_id from unsaid where contains(lower(error_message), $text)
    union all
    select run_id from unsaid where contains(lower(in_band_error), $text)
)
select (start_ns // $bucket_ns::ubigint) * $bucket_ns::ubigint as bucket_ns, state, count(*) as runs
from (
    select *, case when outcome <> 'open' then outcome
                   when last_received_ns < $abandoned_ns::ubigint then 'abandoned' else 'running' end as state
    from run
    where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
      and ($text = '' or contains(words, $text) or contains(lower(session_id), $text)
           or (regexp_full_match($text, '[0-9a-f-]+') and starts_with(run_id, $text))
           or (words is null and (run_id in (from told) or contains(lower(workflow), $text) or contains(lower(failing_step), $text))))
      and ($lost_a = '' and $lost_b = '' or outcome in ('failed', 'silent')
           and ($lost_a = '' or coalesce(layer_a, 'unclassified') = $lost_a)
           and ($lost_b = '' or coalesce(layer_b, 'unclassified') = $lost_b))
      and (not $failing
           or run_id in (select run_id from failure
                         where $failing and at_ns >= $since_ns::ubigint
                           and ($code = '' or code = $code)
                           and ($layer_a = '' or layer_a = $layer_a)
                           and ($layer_b = '' or layer_b = $layer_b)
                           and (len($steps::varchar[]) = 0 or list_contains($steps::varchar[], coalesce(step, '')))
                           and ($certainty = '' or certainty = $certainty)
                           and ($error = '' or error_type = $error)
                           and case when $fate = 'dragged' then role = 'collateral' or role = 'propagated' and code <> 'recovery.silent_failure'
                                    else role = 'root' and $fate in ('', case when recovered then 'recovered' when silent then 'silent' else 'loud' end) end))
      and (not $calling
           or run_id in (select run_id from operations_called($since_ns, $called_by, $called, $tries) where $calling))
      and (not $sending
           or run_id in (select run_id from trace
                         where $sending and trace_id in (
                             select trace_id from span
                             where $sending and start_ns >= $since_ns::ubigint
                               and (len($services::varchar[]) = 0 or list_contains($services::varchar[], coalesce(service, '')))
                               and (len($instrumentations::varchar[]) = 0
                                    or list_contains($instrumentations::varchar[], coalesce(scope_name, ''))))))
)
where len($states::varchar[]) = 0 or list_contains($states::varchar[], state)
group by bucket_ns, state
order by bucket_ns, state
