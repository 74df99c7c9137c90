"""Whether a page that stays open for hours grows: the memory of its tab and of the server behind it.

    python -m tests.benchmarks.open_hours [--hours 8] [--minutes 240] [--speed-up 10] [--pages "" runs] [--write]

The pages are open in Chromium side by side, live, while runs come in. They refresh so many times as often as usual,
and as often as in so many hours, unless the minutes are over before; every refresh is counted. Growth is that of the
second half, when caches are full.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import psutil
from playwright.sync_api import BrowserContext, Page

from dashboard.components.pulse import LIVE_S, LONG_S
from tests.benchmarks import harness
from tests.benchmarks.senders import send_all, timetable
from tests.benchmarks.spans import make_bodies, stamped
from tests.chromium import PATIENCE_MS, chromium, served, settle

SAMPLES: Final = 40
HOUR_S: Final = 3_600.0

HASTE: Final = """
import pathlib
import sys
if "dashboard.serve" in sys.orig_argv:
    from dashboard.components import pulse
    pulse.LIVE_S, pulse.LONG_S, shown = {live_s}, {long_s}, pulse._footer
    def counted():
        with pathlib.Path({refreshes!r}).open("ab") as file:
            file.write(b".")
        shown()
    pulse._footer = counted
"""
"""What the dashboard's Python runs first (`sitecustomize`): the same pages, only more often."""


class Size(NamedTuple):
    """How large everything is."""

    refreshes: int
    server_mib: float
    heap_mib: float
    """JavaScript of all tabs, after a collection."""
    nodes: int
    """Of the documents of all tabs."""


@contextmanager
def hasty(data: Path, folder: Path, speed_up: float) -> Iterator[tuple[str, Path]]:
    """The dashboard, refreshing so many times as often; its address, and a file with a byte a refresh."""
    refreshes = folder / "refreshes"
    refreshes.touch()
    text = HASTE.format(live_s=LIVE_S / speed_up, long_s=LONG_S / speed_up, refreshes=str(refreshes))
    (folder / "sitecustomize.py").write_text(text, "utf-8")
    with served(data, PYTHONPATH=os.pathsep.join([str(folder), *sys.path])) as origin:
        yield origin, refreshes


def server_of(origin: str) -> psutil.Process:
    """The process that listens there."""
    port = int(origin.rsplit(":", 1)[1])
    for child in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in child.net_connections("tcp")):
            return child
    raise RuntimeError(f"nothing of ours listens on {origin}")


def size(server: psutil.Process, pages: list[Page], context: BrowserContext, refreshes: Path) -> Size:
    """How large it is now."""
    heap = nodes = 0.0
    for page in pages:
        session = context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        found: dict[str, Any] = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        heap += found["JSHeapUsedSize"]
        nodes += found["Nodes"]
        session.detach()
    return Size(refreshes.stat().st_size, server.memory_info().rss / 2**20, heap / 2**20, round(nodes))


def growth(sizes: list[Size], of: int, refreshes_an_hour: float) -> float:
    """By how much the second half grew an hour: the slope of the straight line through it."""
    half = sizes[len(sizes) // 2 :]
    slope, _ = statistics.linear_regression([one.refreshes for one in half], [one[of] for one in half])
    return slope * refreshes_an_hour


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--minutes", type=float, default=240, help="ends after these at the latest")
    parser.add_argument("--speed-up", type=float, default=10)
    parser.add_argument("--pages", nargs="+", default=["", "runs"], help="paths; '' is the Overview")
    parser.add_argument("--rate", type=float, default=50, help="spans a second that come in meanwhile")
    args = parser.parse_args()
    busy = harness.other_cores_used()
    an_hour = HOUR_S / LIVE_S * len(args.pages)
    sizes: list[Size] = []
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder,
        harness.collector() as running,
        hasty(running.data, Path(folder), args.speed_up) as (origin, refreshes),
        chromium() as browser,
    ):
        load = timetable(stamped(make_bodies(2_000)), args.rate, 100 * HOUR_S)
        threading.Thread(target=send_all, args=(running.grpc_port, "grpc", load, 1), daemon=True).start()
        running.wait_settled()
        context = browser.new_context(viewport={"width": 1440, "height": 1000})
        pages = []
        for path in args.pages:
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{origin}/{path}")
            settle(page)
            pages.append(page)
        server = server_of(origin)
        for nth in range(SAMPLES + 1):
            late_s = began + 60 * args.minutes * nth / SAMPLES
            while refreshes.stat().st_size < args.hours * an_hour * nth / SAMPLES and time.monotonic() < late_s:
                time.sleep(0.2)
            sizes.append(size(server, pages, context, refreshes))
            click.echo(f"{(time.monotonic() - began) / 60:.1f} min: {sizes[-1]}", err=True)
    took_s = time.monotonic() - began
    first, middle, last = sizes[0], sizes[len(sizes) // 2], sizes[-1]
    rows = [
        [name, *(one[at] for one in (first, middle, last)), growth(sizes, at, an_hour)]
        for at, name in ((1, "server, MiB"), (2, "JavaScript of the tabs, MiB"), (3, "nodes of their documents"))
    ]
    text = f"{len(pages)} pages, {last.refreshes:,} refreshes: as many as in {last.refreshes / an_hour:.1f} hours, "
    text += f"in {took_s / 60:.0f} minutes, while {args.rate:g} spans/s came in.\n\n"
    text += harness.table(["", "at first", "half-way", "at the end", "growth of the second half, an hour"], rows)
    harness.report("open_hours", text, write=args.write, busy_cores=busy)


if __name__ == "__main__":
    main()
