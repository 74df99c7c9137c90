"""The command line of demo_data."""

import signal
import socket
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TextIO
from urllib.parse import urlsplit

import click

from demo_data.delivery import DEFAULT_ENDPOINTS, Delivery, Protocol, make_exporter
from demo_data.faults import Label
from demo_data.plan import SECOND
from demo_data.rhythm import DAY, HOUR, LIVE_STORM_EVERY, LIVE_STORM_FIRST, MINUTE, STORMS
from demo_data.send import TOTAL_RUNS_PER_DAY, History, send_history, send_live, starts_of
from demo_data.workflows import WORKFLOWS

CONNECT_WAIT_S = 10.0

WORKFLOW_LINES = "\n".join(
    f"  {workflow.name:<16} {workflow.about}, about {workflow.runs_per_day:.0f} runs a day"
    for workflow in WORKFLOWS.values()
)
EVENTS = [
    *((storm.onset_days, f"retry storm in {storm.workflow}, {storm.minutes:.0f} minutes") for storm in STORMS),
    *((days, f"{name} {version} is released") for name, w in WORKFLOWS.items() for days, version in w.releases[1:]),
]
EVENT_LINES = "\n".join(f"  {days:>5.1f} days  {event}" for days, event in sorted(EVENTS, reverse=True))
HELP = f"""Send realistic agent workflows to an OTLP collector, through the real OpenTelemetry SDK and exporter.

By default four weeks of history that end now. The same --seed with the same --end gives the same spans.

\b
Workflows:
{WORKFLOW_LINES}

Into them go faults whose truth is known: rate limits, time-outs, malformed hand-offs, lost state, wrong routes, tool
errors under a good status, and look-alikes that are none (polling, pagination, a redo, a pending approval). An
evaluator gives a verdict on some runs. The spans never say so; --labels writes it to a file of its own.

Live traffic has a retry storm of its own after {LIVE_STORM_FIRST // MINUTE} minutes, and every \
{LIVE_STORM_EVERY // HOUR} hours.

\b
Events, counted back from the end:
{EVENT_LINES}
"""


@click.command(help=HELP)
@click.option("--endpoint", metavar="URL", help="Base URL of the collector. [default: its usual port on 127.0.0.1]")
@click.option(
    "--protocol",
    type=click.Choice([protocol.value for protocol in Protocol]),
    default=Protocol.HTTP.value,
    show_default=True,
    help="How spans travel.",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME=VALUE",
    help="Sent with every request; repeatable. OTEL_EXPORTER_OTLP_HEADERS works, too.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other runs.")
@click.option(
    "--days",
    type=click.IntRange(0, 365),
    default=28,
    show_default=True,
    help="Length of the history; 0 for live traffic only.",
)
@click.option("--end", "end_text", metavar="TIME", help="Where history ends, ISO 8601. [default: now]")
@click.option(
    "--runs-per-day",
    type=click.FloatRange(min=0, min_open=True),
    default=TOTAL_RUNS_PER_DAY,
    show_default=True,
    help="Mean runs a day over all workflows; each keeps its share.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(WORKFLOWS)),
    metavar="WORKFLOW",
    help="Only this workflow; repeatable.",
)
@click.option(
    "--labels",
    "labels_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the truth about every run (fault, step, code, layers, span) to this file, one JSON object a line.",
)
@click.option("--live", is_flag=True, help="After the history go on in real time until stopped (Ctrl-C).")
@click.option(
    "--live-rate",
    type=click.FloatRange(min=0, min_open=True),
    default=6.0,
    show_default=True,
    help="Live runs a minute, over all workflows.",
)
def main(
    endpoint: str | None,
    protocol: str,
    headers: tuple[str, ...],
    seed: int,
    days: int,
    end_text: str | None,
    runs_per_day: float,
    only: tuple[str, ...],
    labels_path: Path | None,
    live: bool,
    live_rate: float,
) -> None:
    """Send the history, then live traffic where asked; exit code 1 when spans were lost."""
    chosen = Protocol(protocol)
    url = endpoint or DEFAULT_ENDPOINTS[chosen]
    history = History(
        seed=seed,
        end_ns=_end_ns(end_text),
        days=days,
        factor=runs_per_day / TOTAL_RUNS_PER_DAY,
        workflows=only or tuple(WORKFLOWS),
    )
    request_headers = _headers(headers)
    _wait_for_collector(url)
    with ExitStack() as stack:
        labels = stack.enter_context(labels_path.open("w", encoding="utf-8")) if labels_path else None
        stop = Event()
        delivery = Delivery(make_exporter(chosen, url, request_headers), wait=stop.wait)
        stack.callback(delivery.close)
        stack.callback(stop.set)  # runs first: whoever interrupts must not wait for retries
        if days:
            _history(history, delivery, labels)
        if live and not delivery.failed:
            _live(history, delivery, labels, live_rate, stop)
    if delivery.failed:
        raise click.ClickException(f"{delivery.failed:,} spans were lost: {url} did not take them (see above for why)")


def _history(history: History, delivery: Delivery, labels: TextIO | None) -> None:
    began = time.monotonic()
    total = len(starts_of(history))
    with click.progressbar(length=total, label="history", file=sys.stderr, show_pos=True) as bar:

        def on_run(label: Label) -> None:
            _write(labels, label)
            bar.update(1)

        runs = send_history(history, delivery, on_run=on_run)
        bar.update(total - runs)
    took = time.monotonic() - began
    click.echo(
        f"{runs:,} runs over {history.days} days in {took:.1f} s: {delivery.sent:,} spans sent, "
        f"{delivery.failed:,} failed, {delivery.retries} batches sent again",
        err=True,
    )


def _live(history: History, delivery: Delivery, labels: TextIO | None, rate: float, stop: Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    click.echo(f"live: about {rate:g} runs a minute; Ctrl-C stops", err=True)
    before = delivery.sent
    runs = send_live(
        history, delivery, stop, runs_per_minute=rate, on_run=lambda label: _write(labels, label, flush=True)
    )
    click.echo(f"live: {runs:,} runs, {delivery.sent - before:,} spans sent, {delivery.failed:,} failed", err=True)


def _write(labels: TextIO | None, label: Label, *, flush: bool = False) -> None:
    if labels is not None:
        labels.write(label.as_json() + "\n")
        if flush:
            labels.flush()


def _end_ns(text: str | None) -> int:
    if text is None:
        return time.time_ns()
    try:
        end = datetime.fromisoformat(text)
    except ValueError as exc:
        message = f"{text[:40]!r} is not an ISO 8601 time; write it like 2026-11-22T18:00:00Z"
        raise click.BadParameter(message, param_hint="--end") from exc
    since_epoch = (end if end.tzinfo else end.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch.days * DAY + since_epoch.seconds * SECOND + since_epoch.microseconds * 1_000


def _headers(pairs: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            message = f"{pair[:40]!r} has no '='; write it like authorization='Bearer TOKEN'"
            raise click.BadParameter(message, param_hint="--header")
        headers[name] = value
    return headers


def _wait_for_collector(url: str) -> None:
    """Return once something listens there; a collector that is just starting gets some seconds."""
    parts = urlsplit(url)
    host = parts.hostname
    if not host or parts.scheme not in {"http", "https"}:
        message = f"{url[:80]!r} is not a URL; write it like http://127.0.0.1:4318"
        raise click.BadParameter(message, param_hint="--endpoint")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    give_up = time.monotonic() + CONNECT_WAIT_S
    while True:
        try:
            socket.create_connection((host, port), timeout=CONNECT_WAIT_S).close()
        except OSError as exc:
            if time.monotonic() >= give_up:
                message = f"nothing listens at {host}:{port} ({exc}); start a collector with `seamscope collect`"
                raise click.ClickException(message) from exc
            time.sleep(0.2)
        else:
            return
