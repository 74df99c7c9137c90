-- workflow_names: what the workflow filter offers. One row per workflow, busiest first, at most 500.
select workflow, count(*) as runs
from run
group by workflow
order by runs desc, workflow
limit 500
