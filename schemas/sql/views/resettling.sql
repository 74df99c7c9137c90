-- resettling: while new rules go through what older ones had settled: how far they are. No row where nothing is left.
create or replace view resettling as
select split_part(value::json->>'rules', '+', 1)::integer as rule_version,
       (value::json->>'done')::bigint as traces_done, (value::json->>'total')::bigint as traces_total
from store.meta
where key = 'resettling';
