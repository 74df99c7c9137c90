"""Writes a store to look at: `python -m tests.dashboard DIR [--runs N] [--hostile URL] [--big STEPS]`."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from schemas.paths import store_path
from tests.dashboard import stores
from tests.dashboard.big import big_run
from tests.dashboard.filling import Filling
from tests.dashboard.hostile import hostile_text
from tests.dashboard.lively import lively_runs


def main() -> None:
    """Writes the store that the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=240)
    parser.add_argument("--hostile", metavar="URL")
    parser.add_argument("--big", type=int, metavar="STEPS")
    args = parser.parse_args()
    now = time.time_ns()

    def fillings() -> Iterator[Filling]:
        yield lively_runs(now, args.runs, text=hostile_text(args.hostile) if args.hostile else "")
        if args.big:
            filling, run_id = big_run(now, args.big)
            print(run_id)  # noqa: T201  # to open it by
            yield filling

    path = store_path(args.folder)
    path.unlink(missing_ok=True)
    stores.write(path, fillings())


if __name__ == "__main__":
    main()
