-- marker: contract view, see tables/marker.sql.
create or replace view marker as select * from store.marker;
