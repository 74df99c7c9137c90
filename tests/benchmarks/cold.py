"""How long a start takes, and what a collector at rest costs.

python -m tests.benchmarks.cold [--starts 5] [--write]
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import harness
from tests.benchmarks.harness import Collector
from tests.benchmarks.senders import HttpClient
from tests.benchmarks.spans import make_bodies, stamp

IDLE_S = 10.0


def main() -> None:
    """Measures and reports."""
    parser = harness.options(__doc__)
    parser.add_argument("--starts", type=int, default=5)
    args = parser.parse_args()
    busy = harness.other_cores_used()
    body = make_bodies(1)[0]
    with tempfile.TemporaryDirectory(prefix="seamscope-bench-") as folder:
        data = Path(folder) / "data"
        starts = []
        for number in range(args.starts):
            running = Collector(data)
            client = HttpClient(running.http_port)
            while client.send(stamp(body, number)) != "ok":
                time.sleep(0.01)
            starts.append(time.perf_counter() - running.started_s)
            client.close()
            if number < args.starts - 1:
                running.stop()
        time.sleep(2)
        before_s = running.cpu_s()
        time.sleep(IDLE_S)
        idle_ratio = (running.cpu_s() - before_s) / IDLE_S
        rss = running.rss_mib()
        stopped = running.stop()
    rows = [
        ["start to first accepted span, first / median of the others, s", _starts(starts), "at most 3"],
        ["memory at rest, MiB", rss, "at most 170"],
        ["CPU at rest, share of a core", idle_ratio, ""],
        ["stop, s", stopped.exit_s, "at most 5"],
        ["`seamscope --help`, s", _help_s(), ""],
    ]
    harness.report("cold", harness.table(["", "measured", "aim"], rows), write=args.write, busy_cores=busy)


def _starts(seconds: list[float]) -> str:
    others = statistics.median(seconds[1:]) if len(seconds) > 1 else float("nan")
    return f"{seconds[0]:.2f} / {others:.2f}"


def _help_s() -> float:
    since = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dashboard.cli", "--help"], check=True, capture_output=True)
    return time.perf_counter() - since


if __name__ == "__main__":
    main()
