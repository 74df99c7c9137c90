"""`make screenshots`: pictures of every page, in both themes and widths, on a store that it makes itself.

The clock of collector, dashboard and browser is set, and the demo has a seed, so the pictures change only with the
pages. Those in COMMITTED go to docs/images, where README and docs show them; all go to build/screenshots.
"""

import io
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
from PIL import Image
from playwright.sync_api import Browser, Page

from schemas.paths import store_path
from tests.chromium import PATIENCE_MS, chromium, served, settle
from tests.collecting import Collector
from tests.demo_store import fill

ROOT: Final = Path(__file__).parents[1]
ALL: Final = ROOT / "build/screenshots"
SHOWN: Final = ROOT / "docs/images"

END: Final = "2025-11-18T15:10:00Z"
"""A Tuesday afternoon: the last week is a whole one, a storm has just passed."""
WAIT_NS: Final = 5 * 60 * 1_000_000_000
"""How long after the end of history the pictures are taken: the collector has settled everything."""
WIDTHS: Final = (1440, 900)
HEIGHT: Final = 1000
FIRST_SCREEN: Final = 1100
LONGEST: Final = 2600
THEMES: Final = ("light", "dark")
CLOCK: Final = str(ROOT / "tests/clock")

PAGES: Final = {
    "overview": "/?window=7d",
    "steps": "/steps?window=7d&workflow=refund_triage",
    "failures": "/failures?window=7d",
    "retries": "/retries?window=7d",
    "drift": "/drift?window=28d&workflow=refund_triage",
    "runs": "/runs?window=24h&state=failed&state=silent",
    "run": "/run?window=7d&run={failed}",
    "run-time": "/run?window=7d&run={failed}&view=Where+time+went",
    "reports": "/reports?week=2025-W46",
    "connect": "/connect?window=7d",
}
COMMITTED: Final = {
    "overview": ("light", 1440),
    "overview-dark": ("dark", 1440),
    "steps": ("light", 1440),
    "failures": ("light", 1440),
    "retries": ("light", 1440),
    "drift": ("light", 1440),
    "run": ("dark", 1440),
    "reports": ("light", 1440),
}


def main() -> None:
    """Makes them all, or those of the pages that are named."""
    end_ns = int(datetime.fromisoformat(END).timestamp()) * 1_000_000_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PYTHONPATH": os.pathsep.join([CLOCK, *sys.path]), "TEST_CLOCK_NS": str(end_ns)}
        data = fill(Path(folder) / "data", "--end", END, "--days", "28", "--runs-per-day", "250")
        failed = newest_failed(data)
        os.environ |= {"TEST_CLOCK_NS": str(end_ns + WAIT_NS), "TEST_CLOCK_STOPS": "1"}
        with Collector(data), served(data, PYTHONPATH=os.environ["PYTHONPATH"]) as address, chromium() as browser:
            for theme, width in itertools.product(THEMES, WIDTHS):
                with opened(browser, theme, width, end_ns + WAIT_NS) as page:
                    for name in sys.argv[1:] or PAGES:
                        page.set_viewport_size({"width": width, "height": HEIGHT})
                        page.goto(address + PAGES[name].format(failed=failed))
                        keep(picture(page, width), name, theme, width)


def newest_failed(data: Path) -> str:
    """The run that is shown."""
    with duckdb.connect(str(store_path(data)), read_only=True) as con:
        query = """select run_id from run where workflow = 'refund_triage' and code = 'tool.unavailable'
            and outcome = 'failed' order by start_ns desc limit 1"""
        return str(con.sql(query).fetchall()[0][0])


@contextmanager
def opened(browser: Browser, theme: str, width: int, now_ns: int) -> Iterator[Page]:
    """A page whose clock stands still."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme=theme,  # type: ignore[arg-type]
        timezone_id="UTC",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(4 * PATIENCE_MS)
    page.clock.set_fixed_time(datetime.fromtimestamp(now_ns / 1e9, UTC))
    yield page
    context.close()


def picture(page: Page, width: int) -> Image.Image:
    """The whole page."""
    settle(page)
    height = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(max(height, HEIGHT), LONGEST)})
    settle(page)
    if page.locator("iframe").count():  # the weekly page stands in one
        page.frame_locator("iframe").locator("h1").wait_for()
    return Image.open(io.BytesIO(page.screenshot(animations="disabled")))


def keep(image: Image.Image, name: str, theme: str, width: int) -> None:
    """Writes a picture whole, and its first screen where documents show it."""
    save(image, ALL / f"{name}-{theme}-{width}.png")
    for shown in (name, f"{name}-{theme}"):
        if COMMITTED.get(shown) == (theme, width):
            save(image.crop((0, 0, width, min(image.height, FIRST_SCREEN))), SHOWN / f"{shown}.png")


def save(image: Image.Image, path: Path) -> None:
    """Writes it as small as it goes without a change of colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert("RGB").save(path, optimize=True)
    print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KiB")  # noqa: T201


if __name__ == "__main__":
    main()
