"""The parts of docs/ that are made from code: `python -m tests.doc_tables` writes them, a test compares."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb

from dashboard.cli import main
from schemas import ddl
from schemas.codes import CODES
from schemas.reports import json_schema
from schemas.settings import MIB, Settings
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
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_bytes"):
        return f"{value // MIB} MiB" if value % MIB == 0 else f"{value // 1024} KiB"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


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
    ("commands.md", "commands"): commands_text,
    ("concepts.md", "views"): views_table,
    ("failures.md", "codes"): codes_table,
    ("decisions/README.md", "decisions"): decisions_list,
}

if __name__ == "__main__":
    for (document, marker), make in MADE.items():
        replace_between(DOCS / document, marker, make())
    REPORT_SCHEMA.write_text(report_schema(), "utf-8")
