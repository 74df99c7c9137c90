-- version_seen: when each version of a workflow, and each model in it, was first seen, to the 5 minutes.
-- The columns of `marker`; kind is workflow or model.
create or replace view version_seen as
select min(bucket_ns) as at_ns, workflow, 'workflow' as kind, workflow_version as label
from store.rollup_run
where workflow_version is not null
group by workflow, label
having sum(runs) > 0
union all
select min(bucket_ns) as at_ns, workflow, 'model' as kind, model as label
from store.rollup_call
where model is not null
group by workflow, label
having sum(operations) > 0;
