-- recounting: while the roll-ups are made anew, newest runs first: from which start on runs are counted again. No row where
-- all are. Until then charts and reports lack older runs.
create or replace view recounting as
select (value::json->>'start_ns')::ubigint as counted_from_ns
from store.meta
where key = 'rollups' and not ((value::json->>'start_ns') = '0' and (value::json->>'run_id') = '');
