-- ingest_minute: what was received, a row a minute. `balance` is 0 always: received = stored + duplicate + rejected.
create or replace view ingest_minute as
select minute_ns, sum(received)::bigint as received, sum(stored)::bigint as stored, sum(duplicate)::bigint as duplicate,
       sum(conflict)::bigint as conflict, sum(rejected)::bigint as rejected, sum(truncated)::bigint as truncated,
       sum(late)::bigint as late, sum(requests)::bigint as requests, sum(bytes)::bigint as bytes,
       (sum(received) - sum(stored) - sum(duplicate) - sum(rejected))::bigint as balance
from store.ingest_minute
group by minute_ns;
