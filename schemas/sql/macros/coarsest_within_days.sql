-- coarsest_within_days: the widest level of the roll-ups of which every row lies in one day of a time zone.
-- Hours do (2), unless the zone is off by half or a quarter of one: then 5 minutes (1).
create or replace macro coarsest_within_days(since_ns, until_ns, zone) as
(select case when bool_and(day_ns % 3600000000000 = 0) then 2 else 1 end from zone_days(since_ns, until_ns, zone));
