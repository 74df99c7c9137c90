-- verdict: an outside judgement of a run or one of its spans. One row per judgement, replaced when its run is settled again.
create table store.verdict (
    run_id        varchar not null,
    trace_id      varchar not null,
    span_id       varchar,                          -- what was judged; NULL: the run as a whole
    judge_span_id varchar,                          -- the evaluator's own span, where it has one
    name          varchar not null,                 -- of what was judged: relevance, task_success, …
    verdict       varchar,                          -- pass, fail; NULL: a score or label that says neither
    score         double,
    label         varchar,
    explanation   varchar,
    source        varchar not null,                 -- event, attribute, evaluator, log, or who posted it
    decides       boolean not null,                 -- is one of those that run.verdict is made of
    at_ns         ubigint not null,
    rule_version  integer not null
);
