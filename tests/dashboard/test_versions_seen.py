"""When versions and models were first seen: read by days, exact to 5 minutes."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.asking import asking

WIDTH = 300 * 10**9
DAY = 86_400 * 10**9
NOON = 20_000 * DAY + DAY // 2
LATE = 20_001 * DAY - WIDTH
"""The last 5 minutes of that day."""

RUNS = """
select unnest($at)::ubigint as bucket_ns, 'desk' as workflow, $version as workflow_version, 'clean' as outcome,
       unnest($runs) as runs, 0 as rescued, 0 as operations, 0 as attempts, 0 as tokens_input, 0 as tokens_output,
       0 as cost_nano_usd, 0 as duration_ns, 0 as model_ns, 0 as tool_ns, 0 as retrieval_ns, 0 as critical_wasted_ns
"""
CALLS = """
select unnest($at)::ubigint as bucket_ns, 'desk' as workflow, 'answer' as step, 'ask' as name, 'llm' as kind,
       $model as model, 1 as tries, unnest($operations) as operations, 0 as recovered, 0 as failed, 0 as wasted_ns,
       0 as wasted_tokens, 0 as wasted_nano_usd
"""
FIRST = {
    ("workflow", "1"): NOON,
    ("workflow", "2"): LATE,
    ("workflow", "taken back"): NOON + DAY,
    ("model", "mini"): NOON,
    ("model", "large"): LATE + WIDTH,
}


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions and models over two days; one version's first run was settled anew as another's."""
    path = store_path(tmp_path_factory.mktemp("several"))
    with closing(stores.create(path)) as con:
        for version, at, runs in (
            ("1", [NOON, LATE], [3, 1]),
            ("2", [LATE, LATE + WIDTH], [1, 9]),
            ("taken back", [NOON, NOON, NOON + DAY], [2, -2, 1]),
            ("never", [NOON, NOON], [1, -1]),
        ):
            stores.add_counted(con, "rollup_run", RUNS, {"at": at, "runs": runs, "version": version})
        for model, at, operations in (("mini", [NOON, LATE], [1, 1]), ("large", [LATE + WIDTH], [4])):
            stores.add_counted(con, "rollup_call", CALLS, {"at": at, "operations": operations, "model": model})
    return path


@pytest.mark.parametrize(
    ("since_ns", "until_ns"),
    [
        (0, 2**63 - 1),
        (NOON, LATE),
        (NOON + 1, LATE + 1),
        (LATE, LATE + WIDTH),
        (LATE + WIDTH, NOON + DAY),
        (NOON + DAY, 2**62),
    ],
)
def test_each_is_told_where_it_was_first_seen(several: Path, since_ns: int, until_ns: int) -> None:
    """In a window those that were first seen in it, however a day lies over its ends."""
    with asking(several) as ask:
        rows = ask("versions_seen", workflow="desk", since_ns=since_ns, until_ns=until_ns).to_pylist()
    assert {(row["kind"], row["label"]): row["at_ns"] for row in rows} == {
        key: at_ns for key, at_ns in FIRST.items() if since_ns <= at_ns < until_ns
    }
    assert {row["workflow"] for row in rows} <= {"desk"}


def test_the_view_says_the_same(several: Path) -> None:
    """Only slower."""
    with closing(duckdb.connect(str(several), read_only=True)) as con:
        seen = con.execute("select kind, label, at_ns from version_seen").fetchall()
    assert {(kind, label): at_ns for kind, label, at_ns in seen} == FIRST
