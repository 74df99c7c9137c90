-- report_versions: what was first seen when: versions, models, and markers that were posted. One row each.
--   $since_ns, $until_ns  bigint, half-open [since, until)
--   $workflow             varchar
select at_ns, kind, label
from version_seen
where workflow = $workflow and at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
union all
select at_ns, kind, label
from marker
where (workflow = $workflow or workflow is null) and at_ns >= $since_ns::ubigint and at_ns < $until_ns::ubigint
order by at_ns, kind, label
