"""`check`: thresholds on what a window holds, for CI and cron."""

import re
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from dashboard import alarms
from dashboard.analytics.storms import Limits
from dashboard.commands.children import Children
from dashboard.commands.ingest import Tally, found_in, sent
from dashboard.commands.options import environment_option, load_settings, setting_options, workflow_option
from dashboard.commands.run import start_collector
from dashboard.errors import DashboardError
from dashboard.otlp_files import files_in
from dashboard.otlp_sender import Sender
from dashboard.questions import Questions, counting
from dashboard.reader import CollectorReader, Reader, connect, held
from dashboard.reports.build import BUCKET_NS
from dashboard.reports.check import Mode, Thresholds, judge
from dashboard.reports.figures import figures
from dashboard.reports.movements import Drifts, storms_in, tested
from dashboard.reports.weeks import NS, Week, day_of
from dashboard.rows import printable
from schemas.checks import CheckReport, WorkflowChecks
from schemas.reports import moment
from schemas.settings import Settings, SettingsError
from schemas.zones import zone_of

UNITS_S: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
MOST_S: Final = 100 * 366 * 86_400.0
SETTLE_TIMEOUT_S: Final = 120.0
LIVE_WAIT_S: Final = 5.0
"""Tests that ran a moment ago are worked out within 2 s; a busy collector is never done and not waited for."""
LOOK_S: Final = 0.2
QUIET_LOOKS: Final = 3
"""A run without a root is taken up again a moment after its spans were: it takes more than one quiet look."""
DEFAULT_SINCE: Final = "24h"


class CouldNotCheck(click.ClickException):
    """Something other than a threshold is in the way: exit code 2, so that a gate can tell them apart."""

    exit_code = 2


class Gate(click.Command):
    """A command of which exit code 1 says that a threshold is broken, and nothing else: any error is exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs it."""
        try:
            return super().invoke(ctx)
        except (CouldNotCheck, click.UsageError, click.Abort, click.exceptions.Exit):
            raise
        except (click.ClickException, DashboardError, SettingsError) as exc:
            raise CouldNotCheck(str(exc)) from exc
        except Exception as exc:
            traceback.print_exc()
            raise CouldNotCheck(f"the check itself failed ({type(exc).__name__}): nothing follows from that") from exc


class Window(NamedTuple):
    """A stretch of time, half-open."""

    since_ns: int
    until_ns: int


class Length(click.ParamType[float]):
    """A length of time as text, in seconds."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`14s`, `800ms`, `24h` …"""
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)", str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no length of time: write it like 14s, 800ms or 24h", param, ctx)
        seconds = float(found[1]) * UNITS_S[found[2]]
        if seconds > MOST_S:
            self.fail(f"{value!r} is too long", param, ctx)
        return seconds


class Finite(click.FloatRange):
    """A number that comparisons make sense with."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`1.3`, but neither `nan` nor `inf`."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        return number


class Share(click.ParamType[float]):
    """A share as text, in 0–1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`0.95`, or `95%`."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is no share: write it like 0.95 or 95%", param, ctx)
        return share


@click.command(cls=Gate)
@click.option("--min-reliability", type=Share(), help="R, compounded over the chain, must not be lower")
@click.option("--min-observed", type=Share(), help="E, the share of finished runs that got through, must not be lower")
@click.option("--max-amplification", type=Finite(min=1), help="attempts an operation must not be more")
@click.option("--max-silent", type=Share(), help="the share of silent runs must not be higher")
@click.option("--max-p95", type=Length(), help="95 % of runs must not take longer, as 14s")
@click.option("--no-storms", is_flag=True, help="no retry storm may lie in the window")
@click.option("--no-drift", is_flag=True, help="no fall of reliability may lie in the window, or stand in it as news")
@click.option("--since", type=Length(), help=f"length of the window that ends now [default: {DEFAULT_SINCE}]")
@click.option("--week", "week_text", metavar="YYYY-Www", help="an ISO week instead")
@workflow_option
@environment_option
@click.option(
    "--file",
    "paths",
    multiple=True,
    type=click.Path(exists=True, readable=True, path_type=Path),
    help="check OTLP files instead of a store, whole unless --since or --week says else; may be repeated",
)
@click.option("--strict", is_flag=True, help="the bad end of the band must keep the threshold, too")
@click.option("--point", is_flag=True, help="go by the value alone, without its band")
@click.option("--allow-empty", is_flag=True, help="a window without finished runs is fine")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@setting_options("data_dir", "time_zone")
def check(
    max_p95: float | None,
    since: float | None,
    week_text: str | None,
    workflows: tuple[str, ...],
    environment: str | None,
    paths: tuple[Path, ...],
    strict: bool,
    point: bool,
    form: str,
    data_dir: Path | None,
    time_zone: str | None,
    **asked: Any,
) -> None:
    """Compare what runs delivered with thresholds, for CI and cron.

    Every workflow with runs in the window is compared. Exit code 0: all thresholds hold. 1: one is broken, or no run
    has finished; the reasons are told. 2: wrong usage, or nothing could be read.

    A threshold is broken where even the good end of the 95 % band is beyond it, so that a handful of runs fails only
    what is beyond doubt. --strict breaks it where the bad end is beyond it: then few runs are never enough.
    """
    thresholds = Thresholds(max_p95_ms=None if max_p95 is None else max_p95 * 1_000, **asked)
    if thresholds.asks_nothing:
        raise click.UsageError("no threshold: name at least one, such as --min-reliability 0.95")
    if strict and point:
        raise click.UsageError("--strict and --point exclude each other")
    if since is not None and week_text:
        raise click.UsageError("--since and --week exclude each other")
    if paths and data_dir:
        raise click.UsageError("--file and --data exclude each other")
    mode: Mode = "strict" if strict else "point" if point else "confident"
    settings = load_settings({"data_dir": data_dir, "time_zone": time_zone})
    with store_of(settings, paths) as reader:
        window = window_of(reader, settings, since, week_text, whole=bool(paths))
        found = compare(counting(reader, environment or ""), settings, window, workflows, thresholds, mode)
    click.echo(found.model_dump_json(indent=2) if form == "json" else as_text(found))
    if not found.ok:
        raise SystemExit(1)


def compare(
    questions: Questions,
    settings: Settings,
    window: Window,
    workflows: tuple[str, ...],
    thresholds: Thresholds,
    mode: Mode,
) -> CheckReport:
    """Every workflow of the window (or those named) against the thresholds."""
    zone, limits = zone_of(settings.time_zone), Limits.of(settings.storms)
    names = workflows or sorted({row["workflow"] for row in questions.ask("report_workflows", *window)}) or ("",)
    storms = storms_in(questions, limits, *window, over=False) if thresholds.no_storms else []
    checked = []
    for name in names:
        of = figures(questions, name, *window)
        stormy = alarms.of_workflow(storms, name) if name else storms
        moved = None
        if thresholds.no_drift:
            days = day_of(window.since_ns, zone), day_of(window.until_ns - 1, zone)
            moved = Drifts.of(tested(questions, name, window.until_ns, zone)).within(*days)
        checks = tuple(judge(of, stormy, moved, thresholds, mode))
        passed = all(one.ok for one in checks)
        checked.append(WorkflowChecks(name=name, ok=passed, finished=of.outcomes.finished, checks=checks))
    return CheckReport(
        ok=all(one.ok for one in checked),
        mode=mode,
        since=moment(window.since_ns),
        until=moment(window.until_ns),
        environment=questions.environment or None,
        workflows=tuple(checked),
    )


def window_of(
    reader: Reader, settings: Settings, since_s: float | None, week_text: str | None, *, whole: bool
) -> Window:
    """The window that is asked for, in whole buckets of the roll-ups."""
    zone: tzinfo = zone_of(settings.time_zone)
    until_ns = -(-time.time_ns() // BUCKET_NS) * BUCKET_NS
    if week_text:
        week = Week.parse(week_text, zone)
        return Window(week.start_ns, min(week.end_ns, max(until_ns, week.start_ns + BUCKET_NS)))
    if whole and since_s is None:
        bounds = Questions(reader).ask("report_bounds")[0]
        if bounds["first_ns"] is None:
            return Window(until_ns - BUCKET_NS, until_ns)
        first, last = (bounds[name] // BUCKET_NS * BUCKET_NS for name in ("first_ns", "last_ns"))
        return Window(first, last + BUCKET_NS)
    length_ns = int((Length().convert(DEFAULT_SINCE, None, None) if since_s is None else since_s) * NS)
    return Window(max(0, (until_ns - length_ns) // BUCKET_NS * BUCKET_NS), until_ns)


@contextmanager
def store_of(settings: Settings, paths: tuple[Path, ...]) -> Iterator[Reader]:
    """The store to ask: that of the data folder, or one made of files, for as long as it takes."""
    if not paths:
        with held(connect(settings)) as reader:
            if isinstance(reader, CollectorReader):
                settled(reader, LIVE_WAIT_S)
            yield reader
        return
    with tempfile.TemporaryDirectory(prefix="seamscope-check-") as folder, Children(beside_work=True) as children:
        # A file is whole: a run without a root need not be waited for, and the disk is not ours to judge.
        alone = settings.model_copy(
            update={
                "data_dir": Path(folder) / "data",
                "host": "127.0.0.1",
                "grpc_port": 0,
                "http_port": 0,
                "rootless_finish_s": 0.1,
                "min_free_disk_mib": 0,
            }
        )
        _, started = start_collector(children, alone)
        take_in(paths, alone, str(started["host"]), int(started["http_port"]))
        reader = connect(alone)
        assert isinstance(reader, CollectorReader)
        if not settled(reader, SETTLE_TIMEOUT_S):
            raise CouldNotCheck(f"the files were not worked out within {SETTLE_TIMEOUT_S:.0f} s")
        yield reader


def take_in(paths: tuple[Path, ...], settings: Settings, host: str, port: int) -> None:
    """Sends files to a collector.

    Raises:
        CouldNotCheck: something in them is no trace, or was refused; a gate must not pass on half of it.
    """
    tally = Tally()
    with Sender(host, port, settings.write_token) as sender:
        files = [file for path in paths for file in files_in(path)]
        with click.progressbar(length=0, hidden=True) as bar:
            for found, answer in sent(found_in(files, bar), sender):
                tally.add(found, answer)
    if tally.complaints:
        raise CouldNotCheck("\n".join(map(printable, tally.complaints)))


def settled(reader: CollectorReader, timeout_s: float) -> bool:
    """Waits until a collector has worked out everything it took; whether it has in that time."""
    until = time.monotonic() + timeout_s
    quiet = 0
    while quiet < QUIET_LOOKS and time.monotonic() < until:
        health = reader.health()
        busy = health["settling"]["traces_waiting"] or health["queue"]["requests"]
        quiet = 0 if busy else quiet + 1
        time.sleep(LOOK_S)
    return quiet == QUIET_LOOKS


def as_text(found: CheckReport) -> str:
    """The report for a terminal or a log."""
    lines = []
    for workflow in found.workflows:
        lines.append(printable(workflow.name) or "no workflow")
        lines += [f"  {'ok  ' if one.ok else 'FAIL'}  {NAMES[one.metric]:<14} {one.reason}" for one in workflow.checks]
    checks = [one for workflow in found.workflows for one in workflow.checks]
    failed = sum(not one.ok for one in checks)
    lines.append(f"{failed} of {len(checks)} checks failed" if failed else f"all {len(checks)} checks passed")
    return "\n".join(lines)


NAMES: Final = {
    "reliability": "R",
    "observed": "E",
    "silent": "silent",
    "amplification": "amplification",
    "p95_ms": "p95 of a run",
    "storms": "storms",
    "drift": "drift",
    "runs": "runs",
}
