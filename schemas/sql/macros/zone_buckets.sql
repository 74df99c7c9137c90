-- zone_buckets: the day of a time zone that each 5 minutes of a window lie in: to join by, about twice as fast as by range.
create or replace macro zone_buckets(since_ns, until_ns, zone) as table
select day, unnest(range(day_ns::bigint, next_ns, 300000000000))::ubigint as bucket_ns
from (select day, day_ns, coalesce(lead(day_ns) over (order by day_ns), until_ns)::bigint as next_ns
      from zone_days(since_ns, until_ns, zone));
