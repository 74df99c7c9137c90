-- resource: contract view, see tables/resource.sql.
create or replace view resource as select * from store.resource;
