-- evidence: what was said of a span outside of it: log records and posted verdicts, also of spans that have not come.
create or replace view evidence as
select * exclude (attributes, body), attributes::json as attributes, body::json as body
from store.evidence;
