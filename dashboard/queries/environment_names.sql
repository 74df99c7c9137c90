-- environment_names: what the environment filter offers. One row per environment that runs name, at most 100.
select environment, count(*) as runs
from run
where environment is not null
group by environment
order by runs desc, environment
limit 100
