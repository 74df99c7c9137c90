-- pulse: is anything arriving? One row.
--   $minute_ns bigint, the start of the last whole minute: runs and spans of that minute
--   $day_ns    bigint, since when losses and duplicates are counted
--   counted_from_ns: while roll-ups are made anew, the start of the oldest run that is counted again; NULL: all are
--   resettled, to_resettle: traces of history that changed rules have gone through and all of them; NULL: nothing to do
select (select max(last_received_ns) from run) as last_received_ns,
       (select count(*) from run where start_ns >= $minute_ns::ubigint and start_ns < $minute_ns::ubigint + 60000000000)
           as runs_a_minute,
       (select coalesce(sum(stored), 0)::bigint from ingest_minute where minute_ns = $minute_ns::ubigint) as spans_a_minute,
       (select coalesce(sum(received), 0)::bigint from ingest_minute) as received,
       (select coalesce(sum(rejected), 0)::bigint from ingest_minute where minute_ns >= $day_ns::ubigint) as lost,
       (select coalesce(sum(duplicate), 0)::bigint from ingest_minute where minute_ns >= $day_ns::ubigint) as duplicate,
       (select traces_done from resettling) as resettled,
       (select traces_total from resettling) as to_resettle,
       (select counted_from_ns from recounting) as counted_from_ns
