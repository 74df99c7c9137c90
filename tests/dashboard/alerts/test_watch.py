"""What a real store shows: a storm while it is on, a fall while it is news."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.alerts.conditions import Condition
from dashboard.alerts.watch import BUCKET_NS, Watch
from dashboard.reader import FileReader
from schemas.alerts import AlertSettings
from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.filling import Filling

MINUTE = 60 * 10**9
SETTINGS = AlertSettings(slack="http://127.0.0.1/")


def run(fill: Filling, number: int, start_ns: int, *, tries: int = 1, outcome: str = "clean") -> None:
    """A run of one step, whose operation took so many tries."""
    trace = f"{number:032x}"
    end = start_ns + 10 * 10**9
    for attempt in range(1, tries + 1):
        fill.add(
            "step", run_id=trace, trace_id=trace, span_id=f"{number * 8 + attempt:016x}", depth=1, kind="tool",
            name="look_up", tool="search", position=attempt, chain_step="look_up",
            operation_id=f"{number * 8 + 1:016x}",
            attempt=attempt, status="ok" if attempt == tries else "failed", start_ns=start_ns, end_ns=end, self_ns=1,
        )  # fmt: skip
    fill.add(
        "run", run_id=trace, root_trace_id=trace, trace_ids=[trace], workflow="refund_triage", start_ns=start_ns,
        end_ns=end, outcome=outcome, chain=["look_up"], spans=tries, steps=tries, operations=1, attempts=tries,
        error_spans=0, last_received_ns=end, gaps=0,
    )  # fmt: skip


def watched(folder: Path, fill: Filling, at_ns: int, settings: AlertSettings = SETTINGS) -> list[Condition]:
    stores.write(store_path(folder), [fill])
    return Watch(settings, "UTC").evaluate(FileReader(store_path(folder)), at_ns)


def test_a_storm_is_found_while_it_is_on(tmp_path: Path) -> None:
    """The step and its tool are one condition, since the first bucket of it; calm three hours later there is none."""
    now = datetime(2025, 11, 13, 12, 0, tzinfo=UTC).timestamp()
    now_ns = int(now) * 10**9
    fill = Filling()
    for n in range(1, 721):  # four a minute over three hours, the last 20 minutes stormy
        run(fill, n, now_ns - n * 15 * 10**9, tries=4 if n <= 80 else 1)
    (one,) = watched(tmp_path, fill, now_ns + 1)
    assert (one.rule, one.state, one.workflow, one.step) == ("storm", "holds", "refund_triage", "look_up")
    assert one.also == ("tool search",)
    assert one.value == pytest.approx(4.0)
    assert one.since_ns == now_ns - 4 * BUCKET_NS
    reader = FileReader(store_path(tmp_path))
    assert Watch(SETTINGS, "UTC").evaluate(reader, now_ns + 180 * MINUTE) == []
    quiet = AlertSettings(slack="http://127.0.0.1/", storms=False)
    assert Watch(quiet, "UTC").evaluate(reader, now_ns + 1) == []


def test_a_fall_is_found_in_whole_days(tmp_path: Path) -> None:
    """Of 60 runs a day 5 % fail, since ten days ago 30 %; what the day under way holds does not count."""
    today = datetime(2025, 11, 13, tzinfo=UTC)
    fill = Filling()
    for day in range(41):
        midnight = int((today - timedelta(days=day)).timestamp()) * 10**9
        worse = 0 if day == 0 else 18 if day <= 10 else 3  # today all is well
        for n in range(60):
            run(fill, day * 60 + n + 1, midnight + n * 10 * MINUTE, outcome="failed" if n < worse else "clean")
    at_ns = int((today + timedelta(hours=11)).timestamp()) * 10**9
    (one,) = watched(tmp_path, fill, at_ns)
    assert (one.rule, one.state, one.urgency, one.n) == ("drift", "holds", "ticket", 600)
    assert (one.value, one.limit) == (pytest.approx(0.7), pytest.approx(0.95))
    assert one.since_ns == int((today - timedelta(days=10)).timestamp()) * 10**9


def test_an_objective_of_one_workflow_is_no_other_ones(tmp_path: Path, now_ns: int) -> None:
    """Without a general objective only workflows that have one are judged."""
    fill = Filling()
    for n in range(1, 101):
        run(fill, n, now_ns - n * MINUTE // 4, outcome="failed")
    path = tmp_path / "store"
    settings = AlertSettings(slack="http://127.0.0.1/", objectives={"another": 0.9}, storms=False, drift=False)
    assert watched(path, fill, now_ns, settings) == []
    settings = settings.model_copy(update={"objectives": {"refund_triage": 0.9}})
    found = Watch(settings, "UTC").evaluate(FileReader(store_path(path)), now_ns)
    assert {(one.urgency, one.state) for one in found} == {("page", "holds"), ("ticket", "holds")}
