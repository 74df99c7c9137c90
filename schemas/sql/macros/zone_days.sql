-- zone_days: the days of a time zone that a window touches, each with its first moment.
create or replace macro zone_days(since_ns, until_ns, zone) as table
select day::date as day, greatest(epoch_ns(timezone(zone, day)), 0)::ubigint as day_ns
from generate_series(timezone(zone, to_timestamp(since_ns::bigint // 1000000000))::date::timestamp,
                     timezone(zone, to_timestamp(until_ns::bigint // 1000000000))::date::timestamp,
                     interval 1 day) days(day);
