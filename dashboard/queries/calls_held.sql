-- calls_held: how many rows the roll-up of calls holds by the hour. Hours without are absent.
--   $since_ns, $until_ns   bigint, half-open [since, until) over the start of an operation, in whole 5 minutes
--   $workflow              varchar, '' for all
select this_hour_ns(bucket_ns)::bigint as hour_ns, count(*) as rows
from rollup_call_between($since_ns, $until_ns, 1)
where ($workflow = '' or workflow = $workflow)
group by hour_ns
order by hour_ns
