-- ingest_refusal: contract view, see tables/ingest_refusal.sql.
create or replace view ingest_refusal as select * from store.ingest_refusal;
