-- removed_trace: contract view, see tables/removed_trace.sql. `day_ns`: the day (UTC) its run began on; NULL: it held no finished run.
create or replace view removed_trace as
select trace_id, run_id, reason, list_min(days)::ubigint * 86400000000000::ubigint as day_ns, removed_ns
from store.removed_trace;
