-- coarsest_within: the widest level of the roll-ups of which every row lies in one bucket of a length, counted from 1970 (UTC).
create or replace macro coarsest_within(step_ns) as
case when step_ns % 86400000000000 = 0 then 3 when step_ns % 3600000000000 = 0 then 2 else 1 end;
