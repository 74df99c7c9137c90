"""Runs in development do not mix into what was delivered, unless they are asked for or there is nothing else."""

import time
from pathlib import Path

from dashboard.questions import EVERYTHING, Questions, counting
from dashboard.reader import FileReader, held
from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.lively import lively_runs
from tests.dashboard.pages import data_dir, healthy, open_page

RUNS = 60
EVER = (0, 2**62 // 86_400_000_000_000 * 86_400_000_000_000)
DEVELOPMENT = ("development", "Dev", "local", "localhost", "test", "testing", "ci")


def store_with(folder: Path, *environments: str | None) -> FileReader:
    """Runs that take turns in these environments."""
    filling = lively_runs(time.time_ns(), RUNS)
    for number, run in enumerate(filling.tables["run"]):
        run["environment"] = environments[number % len(environments)]
    return FileReader(stores.write(store_path(folder), [filling]))


def counted(questions: Questions) -> int:
    """Finished runs, of the roll-ups and of the runs themselves."""
    (rolled,), (direct,) = (questions.ask(question, *EVER) for question in ("chain_runs", "run_totals"))
    assert rolled["finished"] == direct["finished"]
    return int(direct["finished"])


def test_development_counts_only_where_asked_for(tmp_path: Path) -> None:
    """Most runs are developers': they stand in no figure unless their environment, or everything, is named."""
    with held(store_with(tmp_path, "production", *DEVELOPMENT)) as reader:
        delivered = counted(counting(reader))
        developed = {name: counted(counting(reader, name)) for name in DEVELOPMENT}
        assert counted(counting(reader, "production")) == delivered > 0
        assert all(developed.values()), developed
        assert counted(counting(reader, EVERYTHING)) == delivered + sum(developed.values())


def test_runs_that_name_no_environment_count(tmp_path: Path) -> None:
    """As do those of any name that is not one for development."""
    reader = store_with(tmp_path, None, "staging", "développement")
    assert counted(counting(reader)) == counted(counting(reader, EVERYTHING))


def test_where_all_is_development_all_of_it_counts(tmp_path: Path) -> None:
    """A developer's own store, or CI's, shows its runs without being asked twice."""
    reader = store_with(tmp_path, "dev", "ci")
    assert counted(counting(reader)) == counted(counting(reader, EVERYTHING)) > 0
    with data_dir(tmp_path):
        shown = open_page("runs", window="90d")
        assert healthy(shown)
        assert shown.selectbox(key="environment").placeholder == "All environments"
        assert "No run matches" not in "\n".join(text.value for text in shown.markdown)


def test_the_filter_says_that_development_is_left_out(tmp_path: Path) -> None:
    """And offers to count it; the choice stands in the URL."""
    store_with(tmp_path, "dev", "production")
    with data_dir(tmp_path):
        chooser = open_page("overview", window="90d").selectbox(key="environment")
        assert chooser.placeholder == "All but development"
        assert EVERYTHING in chooser.options
        shown = open_page("overview", window="90d", environment=EVERYTHING)
        assert healthy(shown)
        assert shown.selectbox(key="environment").value == EVERYTHING
