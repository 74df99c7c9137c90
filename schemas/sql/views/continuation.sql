-- continuation: which run resumed an interrupted one. One row per resuming run.
-- A resume is a run of its own (same workflow, same session, the nearest pending run before it).
create or replace view continuation as
select later.run_id, arg_max(earlier.run_id, earlier.start_ns) as continues_run_id
from store.run later
join store.run earlier
  on earlier.session_id = later.session_id and earlier.workflow = later.workflow
 and earlier.outcome = 'pending' and earlier.start_ns < later.start_ns
group by later.run_id;
