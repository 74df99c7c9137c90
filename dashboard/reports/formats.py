"""The formats of a summary by name."""

from collections.abc import Callable
from typing import Final

from dashboard.reports import csv, html, markdown
from schemas.reports import WeeklySummary

RENDER: Final[dict[str, Callable[[WeeklySummary], bytes]]] = {
    "html": lambda summary: html.render(summary).encode("utf-8", "replace"),
    "md": lambda summary: markdown.render(summary).encode("utf-8", "replace"),
    "csv": csv.render,
    "json": lambda summary: (summary.model_dump_json(indent=2) + "\n").encode("utf-8", "replace"),
}
"""Format to what makes its bytes. Pure: the same summary gives the same bytes."""

MIME: Final = {"html": "text/html", "md": "text/markdown", "csv": "text/csv", "json": "application/json"}


def file_name(summary: WeeklySummary, form: str) -> str:
    """As in `seamscope-2026-W46.html`; nothing of it comes from a span."""
    return f"seamscope-{summary.week}.{form}"
