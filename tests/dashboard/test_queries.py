"""The files in dashboard/queries."""

import re
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from dashboard.questions import parameters
from schemas import ddl
from tests.benchmarks.queries import samples
from tests.dashboard import stores

QUERIES = sorted(Path(str(files("dashboard") / "queries")).glob("*.sql"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A database that knows nothing but the contract views, as empty tables."""
    full = stores.create(tmp_path_factory.mktemp("full") / "full.duckdb")
    con = duckdb.connect()
    for view in (Path(statement.name).stem for statement in ddl.views()):
        columns = full.execute(f"describe {view}").fetchall()
        told = ", ".join(f'"{name}" {kind}' for name, kind, *_ in columns)
        con.execute(f"create table {view} ({told})")
    con.execute("create schema within")  # the tables that macros are made of, under a name no query knows
    for statement in (*ddl.tables(), *ddl.macros()):
        con.execute(statement.sql.replace("store.", "within."))
    full.close()
    return con


NUMBERS = ("limit", "offset", "least", "depth", "columns", "first", "last", "extra", "amplification", "tries")


def value(name: str) -> object:
    lists: dict[str, object] = {
        key: [] for key in ("states", "steps", "codes", "places", "trace_ids", "parents", "shown", "span_ids")
    }
    lists |= {
        key: []
        for key in (
            "owners",
            "dimensions",
            "names",
            "begins_ns",
            "ends_ns",
            "services",
            "instrumentations",
        )
    }
    if name in lists:
        return lists[name]
    if name.endswith("_ns") or name in NUMBERS:
        return 60_000_000_000
    return {"newer": False, "zone": "Asia/Kolkata"}.get(name, "x")


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_query_reads_contract_views_only(path: Path, bare: duckdb.DuckDBPyConnection) -> None:
    """Every query binds and runs where nothing but the contract exists."""
    text = path.read_text("utf-8")
    code = re.sub("--.*", "", text)
    names = set(re.findall(r"\$(\w+)", code))
    rows = bare.sql(text, params={name: value(name) for name in names}).fetchall()
    assert rows == [] or all(cell in (None, 0) for row in rows for cell in row)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_query_says_its_question_and_its_parameters(path: Path) -> None:
    """The header comment opens with the file's name and lists every parameter."""
    text = path.read_text("utf-8")
    header = "\n".join(line for line in text.splitlines() if line.startswith("--"))
    assert header.startswith(f"-- {path.stem}: ")
    assert set(re.findall(r"\$(\w+)", re.sub("--.*", "", text))) == set(re.findall(r"\$(\w+)", header))


def test_the_benchmark_knows_what_every_question_wants_to_be_told() -> None:
    """It asks also what no page asks by itself, with a value for each parameter."""
    wanted = set().union(*(parameters(path.stem) for path in QUERIES))
    assert wanted - set(samples(defaultdict(str), 0)) == {"since_ns", "until_ns", "workflow", "version", "environment"}
