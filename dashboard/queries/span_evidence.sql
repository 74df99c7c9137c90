-- span_evidence: what was said of one span outside of it, in log records and posts. One row per record, oldest first.
--   $trace_id, $span_id varchar
select source, name, time_ns, attributes, body
from evidence
where trace_id = $trace_id and span_id = $span_id
order by time_ns, key
limit 100
