"""The summary as one HTML file: no scripts, nothing fetched, printable on A4."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from dashboard.components.text import clip
from dashboard.reports import svg, words
from schemas.reports import WeeklySummary

TOP = 8
"""Workflows on the first page, those that lost most runs first."""
SECTIONS = 40
"""Workflows with a section of their own: some 15 kB each, far below 2 MB together."""
FIXES = 6
ROWS_FEW = 12
ROWS_MANY = 40


def render(summary: WeeklySummary) -> str:
    """The whole document. Every name from a span is escaped, and nothing in it could run if one were not."""
    css = _css()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return _template().render(
        s=summary,
        w=words,
        svg=svg,
        css=Markup(css),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        top=TOP,
        sections=SECTIONS,
        fixes=FIXES,
        rows_few=ROWS_FEW,
        rows_many=ROWS_MANY,
    )


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["clip"] = clip
    return environment.from_string((files("dashboard.reports") / "weekly.html").read_text("utf-8"))


@cache
def _css() -> str:
    return (files("dashboard.reports") / "weekly.css").read_text("utf-8")
