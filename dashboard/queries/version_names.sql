-- version_names: what the version filter offers. One row per version, newest first, at most 200.
--   $workflow  varchar, '' for all
select workflow_version, max(start_ns) as newest_ns
from run
where workflow_version is not null and ($workflow = '' or workflow = $workflow)
group by workflow_version
order by newest_ns desc, workflow_version
limit 200
