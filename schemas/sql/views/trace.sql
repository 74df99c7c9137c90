-- trace: contract view, see tables/trace.sql.
create or replace view trace as select * from store.trace;
