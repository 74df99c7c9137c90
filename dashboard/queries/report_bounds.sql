-- report_bounds: from when to when runs began, in the whole store. One row; NULL where there are none.
--   counted_ns   from when on runs are counted (in 5 minutes): removed ones are, see rollup_run
select min(start_ns) as first_ns, max(start_ns) as last_ns,
       coalesce((select min(bucket_ns) from rollup_run), min(start_ns)) as counted_ns
from run
