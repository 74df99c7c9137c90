-- ingest_redaction: contract view, see tables/ingest_redaction.sql.
create or replace view ingest_redaction as select * from store.ingest_redaction;
