-- this_day_ns: start of the day (UTC) that a moment lies in.
create or replace macro this_day_ns(ns) as ns::ubigint // 86400000000000 * 86400000000000;
