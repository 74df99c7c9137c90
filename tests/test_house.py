"""What holds the house together: who may import whom, what the documents say, what the locks hold."""

import ast
import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from schemas.settings import ENV_PREFIX, Settings
from tests import doc_tables
from tests.markers import between

ROOT = Path(__file__).parents[1]
OURS = {"schemas", "collector", "dashboard", "demo_data", "tests"}
MAY_IMPORT = {
    "schemas": {"schemas"},
    "collector": {"collector", "schemas"},
    "dashboard": {"dashboard", "schemas"},
    "demo_data": {"demo_data", "schemas"},
}
LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-dev.txt")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported_packages(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0] if node.level == 0 else path.relative_to(ROOT).parts[0])
    return found & OURS


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_follow_the_arrows(package: str) -> None:
    """Collector and dashboard meet in schemas only."""
    crossing = {
        str(path.relative_to(ROOT)): sorted(imported_packages(path) - MAY_IMPORT[package])
        for path in modules(package)
        if imported_packages(path) - MAY_IMPORT[package]
    }
    assert not crossing


def test_schemas_imports_nothing_that_does_work() -> None:
    """The contract costs its readers pydantic and the standard library, nothing else."""
    allowed = OURS | {"pydantic"} | sys.stdlib_module_names
    for path in modules("schemas"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path


def test_the_command_line_starts_without_streamlit_or_arrow() -> None:
    """`seamscope collect` becomes the collector before anything heavy is imported."""
    code = (
        "import sys, dashboard.cli, dashboard.commands.run\n"
        "print([m for m in ('streamlit', 'pyarrow', 'duckdb', 'pandas', 'collector') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("document", "marker"), doc_tables.MADE)
def test_documents_say_what_the_code_says(document: str, marker: str) -> None:
    """Settings, commands, flags, views and decisions in docs/ are those of the code."""
    expected = doc_tables.MADE[document, marker]()
    assert between(ROOT / "docs" / document, marker) == expected, "run: make docs"


def test_the_published_schema_of_the_summary_is_the_one_in_force() -> None:
    """Who checks our JSON against docs/reports.schema.json checks what the program writes."""
    assert doc_tables.REPORT_SCHEMA.read_text("utf-8") == doc_tables.report_schema(), "run: make docs"


def test_every_setting_has_a_description_and_a_variable_that_sets_it() -> None:
    """A setting that nobody can find or set is none."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
    with pytest.raises(ValueError, match="unknown setting 'nope'"):
        Settings.load(environ={f"{ENV_PREFIX}NOPE": "1"})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A relative link names a file that is there."""
    for target in re.findall(r"(?<!!)\[[^]]*\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_commands_in_documents_exist() -> None:
    """Every `seamscope …` and `make …` in a console block is a command we have."""
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    from dashboard.cli import COMMANDS

    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
            assert set(re.findall(r"\bseamscope ([a-z]+)", block)) <= set(COMMANDS), document
            assert set(re.findall(r"^\$ make ([a-z-]+)", block, re.MULTILINE)) <= known, document


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes_and_name_no_place(lock: str) -> None:
    """Any mirror of the package index serves them, and none can put something else in."""
    text = (ROOT / lock).read_text("utf-8")
    assert not re.findall(r"://|file:|^-|\s@\s", text, re.MULTILINE)
    pins = re.findall(
        r"^([A-Za-z0-9._-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE
    )
    assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))


def test_the_lock_of_the_node_clients_names_no_place() -> None:
    """npm takes what it locks from whichever registry is configured, and checks its hash."""
    packages = json.loads((ROOT / "tests/clients/node/package-lock.json").read_text("utf-8"))["packages"]
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert all("integrity" in entry for name, entry in packages.items() if name)


def test_it_takes_few_packages_to_run() -> None:
    """At most 65 with Seamscope itself; `make packages` prints the count."""
    pins = re.findall(r"^[a-z0-9._-]+==", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert len(pins) + 1 <= 65


def test_the_tests_are_locked_to_what_runs() -> None:
    """The suite runs on the very versions that users get."""

    def pins(lock: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))

    run, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_export_queries_page_by_the_same_parameters() -> None:
    """Each kind of export has its query, with the cursor that the exporter follows."""
    from dashboard.commands.export import KINDS, PAGE_ROWS

    with doc_tables.bare_store() as connection:
        for kind in KINDS:
            sql = (files("dashboard") / "queries" / f"export_{kind}.sql").read_text("utf-8")
            start = {"after_ns": 0, "after_trace": "", "after_id": "", "limit": PAGE_ROWS}
            columns = connection.sql(sql, params=start).columns
            assert columns[-3:] == ["cursor_ns", "cursor_trace", "cursor_id"]


def test_every_page_and_every_part_of_it_is_in_the_docs() -> None:
    """Whoever reads a heading on a page finds it in docs/pages.md, under that page's name."""
    text = (ROOT / "docs" / "pages.md").read_text("utf-8")
    for page in (ROOT / "dashboard" / "views").glob("[a-z]*.py"):
        section = re.search(rf"^## {page.stem.title()}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert section, f"docs/pages.md has no section on {page.stem}"
        told = " ".join(section[1].split()).casefold()
        for heading in re.findall(r'markdown\(f?"\*\*([^"*{]+)\*\*', page.read_text("utf-8")):
            assert heading.casefold() in told, f"docs/pages.md, {page.stem}: {heading}"
