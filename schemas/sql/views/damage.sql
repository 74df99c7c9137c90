-- damage: files that could not be read at a start and were set aside. One row per time; see docs/deployment.md.
create or replace view damage as
select (found->>'at_ns')::ubigint as at_ns, found->>'what' as what, found->>'kept' as kept, found->>'lost' as lost
from (select unnest(value::json[]) as found from store.meta where key = 'damage');
