-- failed_neighbours: the failed or silent runs next to a moment, one that began before it and one after. At most two
-- rows, `place` (older, newer) says which.
--   $workflow, $version, $environment  varchar, '' for all (environment: see in_environment)
--   $at_ns, $at_run_id       bigint, varchar; the run whose neighbours these are, itself left out; or a moment and ''
-- In the order of the Runs page, whatever the window: the run that is read may lie outside of it.
-- Measured at 1 million runs, a tenth of them failed: 25 to 40 ms, 2 threads.
with bad as not materialized (
    select run_id, workflow, outcome, start_ns
    from run
    where outcome in ('failed', 'silent')
      and ($workflow = '' or workflow = $workflow)
      and ($version = '' or workflow_version = $version)
      and in_environment(environment, $environment)
)
(select 'older' as place, * from bad
 where start_ns < $at_ns::ubigint or (start_ns = $at_ns::ubigint and run_id < $at_run_id)
 order by start_ns desc, run_id desc limit 1)
union all
(select 'newer' as place, * from bad
 where start_ns > $at_ns::ubigint or (start_ns = $at_ns::ubigint and run_id > $at_run_id)
 order by start_ns, run_id limit 1)
