-- redactions: how many texts were taken out or changed before they were stored, since a moment. One row per rule, most first.
--   $since_ns bigint
select rule, sum(texts)::bigint as texts
from ingest_redaction
where minute_ns >= $since_ns::ubigint
group by rule
order by texts desc, rule
