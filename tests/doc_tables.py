"""The parts of docs/ that are made from code: `python -m tests.doc_tables` writes them, a test compares."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import click
import duckdb
from pydantic import BaseModel

from dashboard.analytics.burn import tiers
from dashboard.cli import main
from dashboard.components.keyboard import KEYS, WATERFALL_KEYS
from dashboard.components.parameters import PARAMETERS
from schemas import ddl
from schemas.alerts import Alert, AlertSettings
from schemas.codes import CODES
from schemas.redaction import RedactionSettings
from schemas.reports import json_schema
from schemas.retention import RetentionSettings
from schemas.settings import MIB, Settings
from schemas.storms import StormSettings
from tests.markers import replace_between

DOCS = Path(__file__).parents[1] / "docs"


def settings_table() -> str:
    """Every setting with its default and meaning."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{name}` | {_default(name, field.default)} | {field.description} |")
    return "\n".join(lines)


def _default(name: str, value: object) -> str:
    if name == "data_dir":
        return "`~/.local/share/seamscope`"
    if value is None or value == ():
        return "none"
    if isinstance(value, BaseModel):
        return "as described there"
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_bytes"):
        return f"{value // MIB} MiB" if value % MIB == 0 else f"{value // 1024} KiB"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def alert_settings_table() -> str:
    """Every key of section `alerts`."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in AlertSettings.model_fields.items():
        default = "none" if field.default in (None, "", {}) else _default(name, field.default)
        lines.append(f"| `{name}` | {default} | {field.description} |")
    return "\n".join(lines)


def section_table(section: type[BaseModel]) -> str:
    """Every key of a section."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in section.model_fields.items():
        value = field.default
        told = f"`{value:g}`" if isinstance(value, float) else "none" if value == {} else _default(name, value)
        lines.append(f"| `{name}` | {told} | {field.description} |")
    return "\n".join(lines)


def alert_fields_table() -> str:
    """Every field of the message that a webhook receives."""
    lines = ["| field | meaning |", "|---|---|"]
    for name, field in Alert.model_fields.items():
        values = " or ".join(f"`{value}`" for value in get_args(field.annotation) if isinstance(value, str))
        said = [text for text in (values, " ".join((field.description or "").split())) if text]
        lines.append(f"| `{name}` | {'. '.join(said) or 'as it says'} |")
    return "\n".join(lines)


RUNS_AN_HOUR = 60


def tiers_table() -> str:
    """When each tier fires, and how often it does so falsely, computed from the tiers that are in force."""
    lines = [
        "| objective | tier | burn | long window | short window | all fail: fires after | half fail: fires after "
        "| false alarm |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for objective in (0.83, 0.9, 0.95, 0.99):
        for tier in tiers(objective):
            waits = [tier.detection_ns(objective, failing) for failing in (1.0, 0.5)]
            told = " | ".join(_length(wait) if wait is not None else "never" for wait in waits)
            false = tier.false_alarm(objective, RUNS_AN_HOUR)
            lines.append(
                f"| {100 * objective:g} % | {tier.urgency} | {tier.burn:.1f}× | {_length(tier.long_ns)} "
                f"| {_length(tier.short_ns)} | {told} | {_chance(false)} |"
            )
    return "\n".join(lines)


def _length(ns: float) -> str:
    minutes = ns / (60 * 10**9)
    return f"{minutes:.0f} min" if minutes < 119.5 else f"{minutes / 60:.1f} h"


def _chance(share: float) -> str:
    return "never" if share == 0 else "< 0.0001 %" if share < 1e-6 else f"{100 * share:.2g} %"


def commands_text() -> str:
    """Every command with its arguments and flags."""
    context = click.Context(main, info_name="seamscope")
    return "\n\n".join("\n".join(_command(context, name)) for name in main.list_commands(context))


def _command(parent: click.Context, name: str) -> Iterator[str]:
    command = main.get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    arguments = [p.make_metavar(context) for p in command.params if isinstance(p, click.Argument)]
    yield f"## `{' '.join(['seamscope', name, *arguments])}`"
    yield ""
    for paragraph in re.split(r"\n\s*\n", command.help or ""):
        yield " ".join(paragraph.split())
        yield ""
    yield "| flag | meaning |"
    yield "|---|---|"
    for option in command.params:
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record:
            meaning = record[1].replace(str(Path.home()), "~").replace("|", "\\|")
            yield f"| `{record[0].replace('|', '/')}` | {' '.join(meaning.split())} |"


def views_table() -> str:
    """Every contract view with its columns."""
    lines = ["| view | columns |", "|---|---|"]
    with bare_store() as connection:
        for statement in ddl.views():
            view = Path(statement.name).stem
            columns = [row[0] for row in connection.execute(f"describe {view}").fetchall()]
            lines.append(f"| `{view}` | {', '.join(columns)} |")
    return "\n".join(lines)


def codes_table() -> str:
    """Every failure code with its layers and what fixes it."""
    lines = ["| code | lens A | lens B | severity | meaning | what usually fixes it |", "|---|---|---|---|---|---|"]
    for code in CODES:
        again = ", may pass" if code.retryable else ""
        said = f"{code.severity}{again} | {code.meaning} | {code.remedy}"
        lines.append(f"| `{code.code}` | {code.layer_a} | {code.layer_b} | {said} |")
    return "\n".join(lines)


def parameters_table() -> str:
    """Every parameter of every page's URL."""
    lines = ["| page | parameter | meaning | takes | without it |", "|---|---|---|---|---|"]
    for one in PARAMETERS:
        takes = one.takes or ", ".join(f"`{value}`" for value in one.values)
        lines.append(f"| {one.page or 'all'} | `{one.name}` | {one.means} | {takes} | {one.default} |")
    return "\n".join(lines)


def keys_table() -> str:
    """The keys that work on every page."""
    return _keys(KEYS)


def waterfall_keys_table() -> str:
    """The keys that work within a waterfall."""
    return _keys(WATERFALL_KEYS)


def _keys(keys: Mapping[str, str]) -> str:
    return "\n".join(["| key | does |", "|---|---|", *(f"| `{key}` | {meaning} |" for key, meaning in keys.items())])


def bare_store() -> duckdb.DuckDBPyConnection:
    """An empty store in memory: the tables and the views, no rows."""
    connection = duckdb.connect()
    connection.execute("create schema store")
    for statement in (*ddl.tables(), *ddl.views(), *ddl.macros()):
        connection.execute(statement.sql)
    return connection


def decisions_list() -> str:
    """The titles of all decisions, each a link."""
    titles = []
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        number = path.name.partition("-")[0]
        title = path.read_text("utf-8").split("\n", 1)[0].lstrip("# ").removeprefix(f"{number}: ")
        titles.append(f"- {number} [{title}]({path.name})")
    return "\n".join(titles)


def report_schema() -> str:
    """The JSON schema of the weekly summary."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


REPORT_SCHEMA = DOCS / "reports.schema.json"

MADE = {
    ("settings.md", "settings"): settings_table,
    ("retention.md", "retention-settings"): lambda: section_table(RetentionSettings),
    ("retention.md", "redaction-settings"): lambda: section_table(RedactionSettings),
    ("settings.md", "storm-settings"): lambda: section_table(StormSettings),
    ("alerts.md", "alert-settings"): alert_settings_table,
    ("alerts.md", "alert-fields"): alert_fields_table,
    ("alerts.md", "tiers"): tiers_table,
    ("commands.md", "commands"): commands_text,
    ("concepts.md", "views"): views_table,
    ("failures.md", "codes"): codes_table,
    ("links.md", "parameters"): parameters_table,
    ("links.md", "keys"): keys_table,
    ("links.md", "waterfall-keys"): waterfall_keys_table,
    ("decisions/README.md", "decisions"): decisions_list,
}

if __name__ == "__main__":
    for (document, marker), make in MADE.items():
        replace_between(DOCS / document, marker, make())
    REPORT_SCHEMA.write_text(report_schema(), "utf-8")
