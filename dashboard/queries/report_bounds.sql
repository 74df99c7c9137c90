-- report_bounds: from when to when runs began, in the whole store. One row; NULL where there are none.
select min(start_ns) as first_ns, max(start_ns) as last_ns
from run
