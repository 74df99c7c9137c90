-- rollup_latency_hour: what of rollup_latency is folded, by the hour (UTC). A table of its own: among rows of 5 minutes these lay in every part of it.
create table store.rollup_latency_hour as select * exclude (level) from store.rollup_latency limit 0;
