-- removal: contract view, see tables/removal.sql.
create or replace view removal as select * from store.removal;
