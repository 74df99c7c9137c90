-- 005: from schema 4 to 5. Who sent spans is counted by the minute; ids of runs and traces are not packed: looked for faster.
create table store.ingest_source (
    minute_ns ubigint not null,
    service varchar,
    scope_name varchar,
    scope_version varchar,
    dialect varchar not null,
    framework varchar,
    spans bigint not null,
    spans_with_gaps bigint not null,
    last_ns ubigint not null
);
insert into store.ingest_source
select received_ns // 60000000000 * 60000000000, service, c.name, c.version, dialect, framework, count(*), count(gaps), max(received_ns)
from store.span left join store.scope c using (scope_id)
group by all
order by 1;
alter table store.run rename to run_packed;
create table store.run (
    run_id varchar not null using compression uncompressed,
    root_trace_id varchar not null,
    root_span_id varchar,
    trace_ids varchar[] not null,
    workflow varchar not null,
    workflow_version varchar,
    service varchar,
    environment varchar,
    framework varchar,
    session_id varchar,
    start_ns ubigint not null,
    end_ns ubigint,
    outcome varchar not null,
    verdict varchar,
    code varchar,
    layer_a varchar,
    layer_b varchar,
    failing_step varchar,
    origin_span_id varchar,
    chain varchar[] not null,
    spans integer not null,
    steps integer not null,
    operations integer not null,
    attempts integer not null,
    error_spans integer not null,
    orphans integer not null,
    gaps integer not null,
    tokens_input bigint,
    tokens_output bigint,
    cost_usd double,
    last_received_ns ubigint not null,
    rule_version integer not null
);
insert into store.run from store.run_packed;
drop table store.run_packed;
alter table store.trace rename to trace_packed;
create table store.trace (
    trace_id varchar not null using compression uncompressed,
    run_id varchar using compression uncompressed,
    spans integer not null,
    first_received_ns ubigint not null,
    last_received_ns ubigint not null
);
insert into store.trace from store.trace_packed;
drop table store.trace_packed;
