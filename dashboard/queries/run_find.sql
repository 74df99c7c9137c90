-- run_find: the spans of one run that hold a text in their name, tool, model, agent, error, inputs, outputs or any other attribute
-- or event. One row per span by start, at most $limit; `found` counts all. Upper and lower case are alike.
-- `place` is that among the steps (NULL: no step), `span_place` that among all spans; `seen_in` says where the text stands.
--   $run_id                                varchar
--   $start_ns, $last_ns                    bigint, inclusive; between which its steps began
--   $first_received_ns, $last_received_ns  bigint, inclusive; when its spans came (keeps the look-up off the rest of the store)
--   $text                                  varchar, in lower case
--   $escaped                               varchar, the same as it stands inside a JSON text
--   $limit                                 bigint
with member as (
    select row_number() over (order by start_ns, span_id, trace_id) - 1 as span_place, trace_id, span_id,
           case when contains(lower(name), $text) or contains(lower(step_name), $text) then 'name'
                when contains(lower(tool), $text) then 'tool'
                when contains(lower(model), $text) then 'model'
                when contains(lower(agent), $text) then 'agent'
                when contains(lower(error_type), $text) or contains(lower(error_message), $text)
                     or contains(lower(status_message), $text) or contains(lower(in_band_error), $text) then 'error'
                when contains(lower(attributes::varchar), $escaped) then 'attributes'
                when contains(lower(events::varchar), $escaped) then 'events' end as seen_in
    from span
    where received_ns >= $first_received_ns::ubigint and received_ns <= $last_received_ns::ubigint
      and trace_id in (select trace_id from trace where run_id = $run_id
                       and first_received_ns >= $first_received_ns::ubigint and first_received_ns <= $last_received_ns::ubigint)
)
select m.span_id, s.position as place, m.span_place, m.seen_in, count(*) over () as found,
       count(*) filter (where s.position is null) over () as no_steps
from member m
left join step s on s.run_id = $run_id and s.start_ns >= $start_ns::ubigint and s.start_ns <= $last_ns::ubigint
                and s.trace_id = m.trace_id and s.span_id = m.span_id
where m.seen_in is not null
order by coalesce(s.position, -1), m.span_place
limit $limit
