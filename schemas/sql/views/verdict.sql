-- verdict: contract view, see tables/verdict.sql.
create or replace view verdict as select * from store.verdict;
