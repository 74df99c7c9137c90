-- ingest_minute: what was received, a row a minute. `balance` is 0 always: received = stored + duplicate + rejected.
create or replace view ingest_minute as
select *, received - stored - duplicate - rejected as balance
from store.ingest_minute;
