"""Realistic agent workflows, sent through the real OpenTelemetry SDK and OTLP exporter.

A workflow *plans* a run (pure: random generator in, spans with explicit ids and times out); the *player* writes
the plan through the SDK; *delivery* hands it to the OTLP exporter and counts what arrived. Faults are injected by
the table in `faults.py`; what was injected where is written to a side file, never into the spans.
"""
