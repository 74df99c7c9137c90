-- version_seen: when each version of a workflow, and each model in it, was first seen, to the 5 minutes.
-- The columns of `marker`; kind is workflow or model. What was taken back since, as of a run that is settled anew, was not seen.
create or replace view version_seen as
select min(bucket_ns) as at_ns, workflow, 'workflow' as kind, label
from (select bucket_ns, workflow, workflow_version as label from store.rollup_run
      where workflow_version is not null group by all having sum(runs) > 0)
group by workflow, label
union all
select min(bucket_ns) as at_ns, workflow, 'model' as kind, label
from (select bucket_ns, workflow, model as label from store.rollup_call
      where model is not null group by all having sum(operations) > 0)
group by workflow, label;
