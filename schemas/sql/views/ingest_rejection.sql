-- ingest_rejection: contract view, see tables/ingest_rejection.sql.
create or replace view ingest_rejection as select * from store.ingest_rejection;
