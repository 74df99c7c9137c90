-- rollup_failure_between: rollup_failure summed up as far as the window allows: whole days and hours as one row a key.
-- Several rows may hold one key: sum them. `coarsest`: 3 days, 2 hours, 1 five minutes.
create or replace macro rollup_failure_between(since_ns, until_ns, coarsest) as table
with taken as (
    select * exclude (level) from store.rollup_failure
    where bucket_ns >= since_ns and bucket_ns < until_ns
      and (level = 0 or coarsest < 2 or bucket_ns < next_hour_ns(since_ns) or bucket_ns >= this_hour_ns(until_ns))
    union all
    from store.rollup_failure_hour
    where coarsest >= 2 and bucket_ns >= next_hour_ns(since_ns) and bucket_ns < this_hour_ns(until_ns)
      and (coarsest < 3 or bucket_ns < next_day_ns(since_ns) or bucket_ns >= this_day_ns(until_ns))
    union all
    from store.rollup_failure_day
    where coarsest >= 3 and bucket_ns >= next_day_ns(since_ns) and bucket_ns < this_day_ns(until_ns)
)
select bucket_ns, workflow, workflow_version, environment, step, code, layer_a, layer_b, certainty, severity,
       recovered, silent, failures, runs
from taken;
