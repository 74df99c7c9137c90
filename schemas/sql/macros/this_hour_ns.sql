-- this_hour_ns: start of the hour (UTC) that a moment lies in.
create or replace macro this_hour_ns(ns) as ns::ubigint // 3600000000000 * 3600000000000;
