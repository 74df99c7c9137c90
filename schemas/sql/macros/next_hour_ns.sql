-- next_hour_ns: start of the first hour (UTC) that does not begin before a moment.
create or replace macro next_hour_ns(ns) as (ns::ubigint + 3599999999999) // 3600000000000 * 3600000000000;
