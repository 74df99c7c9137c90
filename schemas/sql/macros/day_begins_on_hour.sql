-- day_begins_on_hour: whether the day of a time zone that a moment lies in begins on a full hour of UTC.
create or replace macro day_begins_on_hour(at_ns, zone) as
epoch_ns(timezone(zone, date_trunc('day', timezone(zone, to_timestamp(at_ns::bigint // 1000000000))))) % 3600000000000 = 0;
