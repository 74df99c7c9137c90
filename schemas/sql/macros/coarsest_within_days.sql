-- coarsest_within_days: the widest level of the roll-ups of which every row lies in one day of a time zone.
-- Hours do (2), unless the zone is off by half or a quarter of one, then 5 minutes (1). Asked at four moments of the window, as
-- one zone shifts by half an hour in summer; a subquery over its days would keep the level from being known when planning.
create or replace macro coarsest_within_days(since_ns, until_ns, zone) as
case when day_begins_on_hour(since_ns, zone) and day_begins_on_hour(until_ns, zone)
      and day_begins_on_hour(since_ns + (until_ns - since_ns) // 3, zone)
      and day_begins_on_hour(until_ns - (until_ns - since_ns) // 3, zone) then 2 else 1 end;
