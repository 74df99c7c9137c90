"""The weekly summary: from a store to `schemas.reports.WeeklySummary`, and from there to HTML, Markdown, CSV, JSON."""
