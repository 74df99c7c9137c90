-- damages: files that could not be read at a start of the collector and were set aside. One row per time, newest first.
select at_ns, what, kept, lost from damage order by at_ns desc
