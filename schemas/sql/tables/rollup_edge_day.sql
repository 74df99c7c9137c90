-- rollup_edge_day: what of rollup_edge is folded, by the day (UTC). A table of its own: among rows of 5 minutes these lay in every part of it.
create table store.rollup_edge_day as select * exclude (level) from store.rollup_edge limit 0;
