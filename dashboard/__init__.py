"""The read side: pages, charts, reports, command line."""
