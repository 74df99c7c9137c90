-- rollup_call: operations by number of tries, by the 5 minutes they began in. Several rows may hold one key: sum them.
create or replace view rollup_call as
select bucket_ns, workflow, workflow_version, environment, step, name, kind, tool, model, provider, tries,
       operations, recovered, failed, wasted_ns, wasted_tokens, wasted_nano_usd / 1e9 as wasted_usd
from store.rollup_call;
