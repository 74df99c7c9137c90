"""Realistic agent workflows, sent through the real OpenTelemetry SDK and OTLP exporter."""
