-- versions_seen: what was first seen when: versions, models, and markers that were posted. One row each.
--   $since_ns, $until_ns  bigint, half-open [since, until)
--   $workflow             varchar, '' for all; a marker without a workflow belongs to each
select at_ns, workflow, kind, label, false as posted
from version_seen
where ($workflow = '' or workflow = $workflow) and at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
union all
select at_ns, coalesce(workflow, ''), kind, label, true as posted
from marker
where ($workflow = '' or workflow = $workflow or workflow is null)
  and at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
order by at_ns, workflow, kind, label
