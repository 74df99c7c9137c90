-- scope: contract view, see tables/scope.sql.
create or replace view scope as select * from store.scope;
