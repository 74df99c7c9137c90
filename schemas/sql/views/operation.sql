-- operation: contract view, see tables/operation.sql.
create or replace view operation as select * from store.operation;
