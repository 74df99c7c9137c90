-- failure: contract view, see tables/failure.sql.
create or replace view failure as select * from store.failure;
