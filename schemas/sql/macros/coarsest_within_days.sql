-- coarsest_within_days: the widest level of the roll-ups of which every row lies in one day of a time zone.
-- Days do (3) where those of the zone are those of UTC, hours (2) unless it is off by half or a quarter of one, else 5 minutes (1).
-- Looked up for each day of the window, in a list: with a subquery over its days the level would not be known when planning.
create or replace macro coarsest_within_days(since_ns, until_ns, zone) as
coarsest_within(list_reduce(
    list_transform(list_append(range(since_ns::bigint, until_ns::bigint, 86400000000000), until_ns::bigint),
                   lambda at_ns: epoch_ns(timezone(zone, date_trunc('day', timezone(zone, to_timestamp(at_ns // 1000000000)))))),
    lambda one_ns, other_ns: gcd(one_ns, other_ns)));
