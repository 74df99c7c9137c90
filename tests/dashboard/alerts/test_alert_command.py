"""Alerts from end to end: a real store, a real receiver, the command as a user runs it."""

import json
import stat
import time
from pathlib import Path

import click
import pytest

from dashboard.alerts.state import AlreadyWatched, StateUnreadable, load, only_one
from dashboard.checks import Grade, alerts
from dashboard.commands.alert import Desk
from schemas.alerts import Alert
from schemas.paths import alerts_path, store_path
from schemas.settings import Settings
from tests.collecting import Collector
from tests.dashboard import stores
from tests.dashboard.alerts.conftest import Receiver
from tests.dashboard.cli import ANY_PORTS, running, seamscope, wait_for_text
from tests.dashboard.filling import Filling
from tests.dashboard.pages import data_dir, open_page

MINUTE = 60 * 10**9


class Clock:
    """Passes only when somebody sleeps."""

    def __init__(self, ns: int) -> None:
        self.ns = ns
        self.slept: list[float] = []

    def __call__(self) -> int:
        return self.ns

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ns += round(seconds * 10**9)


def write_runs(data: Path, now_ns: int, failing: float, *, workflow: str = "refund_triage") -> None:
    """A store with a run a minute over three hours, of which this share fails."""
    fill = Filling()
    for n in range(1, 181):
        outcome = "failed" if n % 20 < 20 * failing else "clean"
        start = now_ns - n * MINUTE
        trace = f"{n:032x}"
        fill.add(
            "run", run_id=trace, root_trace_id=trace, trace_ids=[trace], workflow=workflow, start_ns=start,
            end_ns=start + MINUTE // 2, outcome=outcome, failing_step="look_up" if outcome == "failed" else None,
            chain=["look_up"], spans=1, steps=0, operations=1, attempts=1, error_spans=0,
            last_received_ns=start + MINUTE, gaps=0, environment="production",
        )  # fmt: skip
    store_path(data).unlink(missing_ok=True)
    stores.write(store_path(data), [fill])


@pytest.fixture
def data(tmp_path: Path, now_ns: int) -> Path:
    folder = tmp_path / "data"
    write_runs(folder, now_ns, 0.5)
    return folder


def desk(data: Path, receiver: Receiver, clock: Clock, **given: object) -> Desk:
    section = {"slack": f"{receiver.url}/services/T/B/s3cret", "objective": 0.95, "open_after": 1, "close_after": 2}
    settings = Settings.model_validate({"data_dir": data, "alerts": {**section, **given}})
    assert settings.alerts
    return Desk(settings, settings.alerts, now_ns=clock, sleep=clock.sleep)


def test_an_outage_is_told_once_and_its_end_once_across_restarts(data: Path, receiver: Receiver, now_ns: int) -> None:
    """The receiver fails twice, then takes it; each evaluation is a process of its own."""
    clock = Clock(now_ns)
    receiver.then(500, 503)
    desk(data, receiver, clock, webhook=f"{receiver.url}/hook", slack=None).once()
    assert [got.headers["Idempotency-Key"] for got in receiver.received] == [receiver.received[0].body["id"]] * 3
    assert [3 < pause < 12 for pause in clock.slept] == [True, True]
    begun = Alert.model_validate(receiver.received[-1].body)
    assert (begun.kind, begun.rule, begun.urgency, begun.workflow) == ("open", "burn", "page", "refund_triage")
    assert begun.value == pytest.approx(0.5, abs=0.02)
    assert begun.link.startswith("http://127.0.0.1:8501/steps?workflow=refund_triage&from=")

    for _ in range(3):  # it goes on: nothing more is said
        desk(data, receiver, clock, webhook=f"{receiver.url}/hook", slack=None).once()
    assert len(receiver.received) == 3

    write_runs(data, now_ns, 0.0)
    for _ in range(3):
        desk(data, receiver, clock, webhook=f"{receiver.url}/hook", slack=None).once()
    ended = Alert.model_validate(receiver.received[-1].body)
    assert (len(receiver.received), ended.kind, ended.episode) == (4, "close", begun.episode)
    kept = load(data)
    assert kept
    assert kept.open == []
    box = kept.outboxes["webhook"]
    assert (box.sent, box.failed, box.retried, box.dropped, len(box.waiting)) == (2, 2, 2, 0, 0)


def test_what_cannot_be_delivered_waits_for_the_next_process(data: Path, receiver: Receiver, now_ns: int) -> None:
    """Five tries, then it is kept with its counters; the next process delivers it, and nothing is said twice."""
    clock = Clock(now_ns)
    receiver.then(*[503] * 5)
    with pytest.raises(click.ClickException, match="slack: HTTP 503, 1 kept"):
        desk(data, receiver, clock).once()
    assert (len(receiver.received), len(clock.slept)) == (5, 4)
    clock.sleep(120)
    desk(data, receiver, clock).once()
    assert [got.body for got in receiver.received] == [receiver.received[0].body] * 6
    assert "refund\u2060" not in receiver.received[0].body["text"]
    assert "refund_triage burns its objective: 50.0 %" in receiver.received[0].body["text"]


def test_a_store_that_cannot_be_asked_ends_nothing(data: Path, receiver: Receiver, now_ns: int) -> None:
    """The open episode stays open, and doctor says why nothing is evaluated."""
    clock = Clock(now_ns)
    desk(data, receiver, clock).once()
    store_path(data).unlink()
    for _ in range(4):
        with pytest.raises(click.ClickException, match="there is no store"):
            desk(data, receiver, clock).once()
    kept = load(data)
    assert kept
    assert [one.kind for one in kept.open] == ["open"]
    assert len(receiver.received) == 1


def test_the_loop_goes_on_after_a_turn_that_failed(
    data: Path, receiver: Receiver, now_ns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever went wrong is said, the next turn begins a minute after this one, and the alert is told then."""
    clock = Clock(now_ns)
    one = desk(data, receiver, clock)
    evaluate, turns = one.evaluate, []

    def fails_first() -> None:
        turns.append(clock.ns)
        if len(turns) == 1:
            raise OSError(28, "No space left on device")
        if len(turns) == 3:
            raise KeyboardInterrupt
        evaluate()

    monkeypatch.setattr(one, "evaluate", fails_first)
    with pytest.raises(KeyboardInterrupt):
        one.forever()
    assert [turn - now_ns for turn in turns] == pytest.approx([0, MINUTE, 2 * MINUTE], abs=1000)
    assert "this turn failed (OSError: [Errno 28] No space left on device)" in capsys.readouterr().err
    assert len(receiver.received) == 1


def test_only_the_environment_that_was_asked_for_counts(data: Path, receiver: Receiver, now_ns: int) -> None:
    clock = Clock(now_ns)
    desk(data, receiver, clock, environment="staging").once()
    assert receiver.received == []
    desk(data, receiver, clock, environment="production").once()
    assert "refund_triage (production) burns" in receiver.received[0].body["text"]


def test_the_file_is_private_and_holds_no_address(data: Path, receiver: Receiver, now_ns: int) -> None:
    receiver.then(404)
    with pytest.raises(click.ClickException, match="slack: HTTP 404, 0 kept"):
        desk(data, receiver, Clock(now_ns)).once()
    path = alerts_path(data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "s3cret" not in path.read_text()
    assert "services" not in path.read_text()


def test_a_broken_file_is_not_taken_for_none(data: Path) -> None:
    """Starting anew would repeat every message: it says what to do instead."""
    alerts_path(data).write_text('{"format": 9}')
    with pytest.raises(StateUnreadable, match=r"alerts\.json cannot be read \(format: .*remove it"):
        load(data)


def test_two_processes_do_not_tell_everything_twice(data: Path) -> None:
    with only_one(data), pytest.raises(AlreadyWatched), only_one(data):
        pass
    with only_one(data):
        pass


def test_doctor_and_the_overview_show_what_became_of_messages(data: Path, receiver: Receiver, now_ns: int) -> None:
    """Counters, the last problem, and whether anybody evaluates."""
    settings = Settings.model_validate({"data_dir": data, "alerts": {"slack": receiver.url}})
    assert [found.text for found in alerts(Settings(data_dir=data), now_ns)] == ["none are configured"]
    (never,) = alerts(settings, now_ns)
    assert (never.grade, never.text) == (Grade.NOTE, "configured, and never evaluated")
    receiver.then(404)
    with pytest.raises(click.ClickException, match="HTTP 404"):
        desk(data, receiver, Clock(now_ns)).once()
    evaluated, slack = alerts(settings, now_ns + MINUTE)
    assert (evaluated.grade, evaluated.text) == (Grade.OK, "evaluated 1 min ago, 1 open")
    counters = "slack: 0 sent, 1 failed, 0 retried, 1 dropped, 0 waiting"
    assert (slack.grade, slack.text) == (Grade.FAULT, f"{counters}; last try: HTTP 404")
    assert [found.grade for found in alerts(settings, now_ns + 20 * MINUTE)] == [Grade.NOTE, Grade.FAULT]
    with data_dir(data):
        page = open_page("overview")
    assert not page.exception
    shown = [caption.value for caption in page.caption]
    assert f":material/notifications: 1 alert open · {counters}" in shown
    assert any("the slack was not reached" in text and "HTTP 404" in text for text in shown)


def failed_runs(runs: int) -> dict[str, object]:
    """An OTLP request with the spans of runs that failed in the last minutes."""
    now_ns = time.time_ns()
    spans = [
        {
            "traceId": f"{n + 1:032x}",
            "spanId": f"{n + 1:016x}",
            "name": "refund_triage",
            "startTimeUnixNano": str(now_ns - (n + 1) * 10**9),
            "endTimeUnixNano": str(now_ns - n * 10**9),
            "status": {"code": 2, "message": "no answer within 30 s"},
        }
        for n in range(runs)
    ]
    service = {"key": "service.name", "value": {"stringValue": "refund_triage"}}
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": spans}]}]}


@pytest.mark.slow
class TestCommand:
    @pytest.fixture(autouse=True)
    def _configured(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        section = {"webhook": f"{receiver.url}/s3cret", "objective": 0.95, "open_after": 1}
        monkeypatch.setenv("SEAMSCOPE_ALERTS", json.dumps(section))

    def test_once_tells_and_ends(self, data: Path, receiver: Receiver) -> None:
        """What it says holds no address; a second time it has nothing to say."""
        done = seamscope("alert", "--once", "--data", data)
        assert done.stdout.startswith("open   refund_triage burns its objective")
        assert "s3cret" not in done.stdout + done.stderr
        assert seamscope("alert", "--once", "--data", data).stdout == ""
        assert [got.body["kind"] for got in receiver.received] == ["open"]
        assert "1 sent" in seamscope("doctor", "--data", data, check=False).stdout

    def test_nobody_there_is_exit_code_1(self, data: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        """A refusal is told without the address."""
        receiver.then(403)
        done = seamscope("alert", "--once", "--data", data, check=False)
        assert done.returncode == 1
        assert "not everything was delivered: webhook: HTTP 403, 0 kept" in done.stderr
        assert "s3cret" not in done.stderr
        monkeypatch.delenv("SEAMSCOPE_ALERTS")
        assert seamscope("alert", "--data", data, check=False).returncode == 2

    def test_up_starts_it_and_ends_it(self, tmp_path: Path, receiver: Receiver) -> None:
        """Spans come in through a collector, the next one is asked; Ctrl-C ends it with the rest."""
        data, log = tmp_path / "data", tmp_path / "log"
        with Collector(data) as collector:
            sent = collector.post(json.dumps(failed_runs(60)), {"Content-Type": "application/json"})
            assert sent.status_code == 200, sent.text
        with running("up", "--data", data, *ANY_PORTS, "--ui-port", "0", log=log) as process:
            wait_for_text(log, "Ctrl-C stops", process)
            until = time.monotonic() + 60
            while not receiver.received and time.monotonic() < until:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        assert [got.body["kind"] for got in receiver.received] == ["open"]
        with only_one(data):
            pass
