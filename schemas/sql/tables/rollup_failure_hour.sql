-- rollup_failure_hour: what of rollup_failure is folded, by the hour (UTC). A table of its own: among rows of 5 minutes these lay in every part of it.
create table store.rollup_failure_hour as select * exclude (level) from store.rollup_failure limit 0;
