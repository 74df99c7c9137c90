-- next_day_ns: start of the first day (UTC) that does not begin before a moment.
create or replace macro next_day_ns(ns) as (ns::ubigint + 86399999999999) // 86400000000000 * 86400000000000;
