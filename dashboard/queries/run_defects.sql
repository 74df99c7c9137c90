-- run_defects: how many runs of a window lack something. One row.
--   $since_ns, $until_ns bigint, half-open [since, until) over the start of a run
select count(*) filter (where orphans > 0) as with_orphans, coalesce(sum(orphans), 0)::bigint as orphans,
       count(*) filter (where gaps > 0) as with_gaps, count(*) filter (where root_span_id is null) as rootless,
       count(*) filter (where tokens_input is null) as without_tokens
from run
where start_ns >= $since_ns::ubigint and start_ns < $until_ns::ubigint
