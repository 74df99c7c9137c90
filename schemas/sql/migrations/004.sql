-- 004: from schema 3 to 4. Failures say of themselves whose they are.
alter table store.failure add column workflow varchar default '';
alter table store.failure alter column workflow set not null;
alter table store.failure alter column workflow drop default;
alter table store.failure add column workflow_version varchar;
alter table store.failure add column environment varchar;
alter table store.failure add column run_start_ns ubigint default 0;
alter table store.failure alter column run_start_ns set not null;
alter table store.failure alter column run_start_ns drop default;
alter table store.failure add column kind varchar;
alter table store.failure add column lost_ns ubigint;
update store.failure
set workflow = r.workflow, workflow_version = r.workflow_version, environment = r.environment, run_start_ns = r.start_ns
from store.run r
where r.run_id = failure.run_id;
update store.failure
set kind = s.kind,
    lost_ns = case when s.end_ns >= s.start_ns and (s.status = 'failed' or s.in_band_error is not null)
                   then s.end_ns - s.start_ns end
from store.step s
where s.run_id = failure.run_id and s.trace_id = failure.trace_id and s.span_id = failure.span_id;
