-- pulse: is anything arriving? One row.
--   $minute_ns bigint, the start of the last whole minute: runs and spans of that minute
--   $day_ns    bigint, since when losses and duplicates are counted, no later than $minute_ns
--   counted_from_ns: while roll-ups are made anew, the start of the oldest run that is counted again; NULL: all are
--   resettled, to_resettle: traces of history that changed rules have gone through and all of them; NULL: nothing to do
with counted as (
    select sum(stored) filter (where minute_ns = $minute_ns::ubigint) as stored, sum(rejected) as rejected,
           sum(duplicate) as duplicate
    from ingest_minute
    where minute_ns >= $day_ns::ubigint
),
begun as (
    select count(*) as runs from run where start_ns >= $minute_ns::ubigint and start_ns < $minute_ns::ubigint + 60000000000
),
heard as (select max(last_received_ns) as last_received_ns from run)
select last_received_ns, runs as runs_a_minute, coalesce(stored, 0)::bigint as spans_a_minute,
       coalesce(rejected, 0)::bigint as lost, coalesce(duplicate, 0)::bigint as duplicate,
       traces_done as resettled, traces_total as to_resettle, counted_from_ns
from counted cross join begun cross join heard left join resettling on true left join recounting on true
