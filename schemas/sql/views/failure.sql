-- failure: contract view, see tables/failure.sql. `scope` is who made the span: beside the error's class it says where an
-- unclassified failure comes from.
create or replace view failure as
select f.* exclude (scope_id), s.name as scope
from store.failure f left join store.scope s on s.scope_id = f.scope_id;
