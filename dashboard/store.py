"""The only way of a page to data: cached answers to the questions in `queries/`.

Whether a running collector or the file answers is `dashboard.reader`'s business; no page can tell.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from dashboard import reader
from dashboard.analytics.storms import Limits
from dashboard.chains import Ask, Asked
from dashboard.endpoint import reachable, running_collector
from dashboard.questions import sql
from dashboard.reports import build
from dashboard.reports.formats import RENDER
from dashboard.reports.weeks import Week
from schemas.paths import store_path
from schemas.reports import WeeklySummary
from schemas.settings import Settings
from schemas.zones import zone_of

Param = str | int | bool | tuple[str, ...] | tuple[int, ...]
"""What a query can be given; a tuple is a list."""

Params = tuple[tuple[str, Param], ...]

LIVE_TTL_S: Final = 0.5
"""How old an answer about what moves may be, with one or two pages open."""
LIVE_TTLS_S: Final = (LIVE_TTL_S, 1.0, 2.0, 4.0)
"""The same with more: the first that is at least …"""
A_PAGE_S: Final = 0.25
"""… so long for each page. Ten pages ask no more than three do then: what is left of the machine is for the spans."""
GONE_S: Final = 10.0
"""A page that has not refreshed for so long is closed, or paused."""
AHEAD_S: Final = 0.8 * LIVE_TTL_S
"""How long a question may wait to be asked ahead: what a page asked since then is still in the cache."""
SIDE_BY_SIDE: Final = 3
"""Questions of all sessions that are asked ahead at a time: one fewer than a collector answers by default."""


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings in force, read once per process."""
    return Settings.load()


@st.cache_data(ttl=1.0, show_spinner=False)
def collector() -> dict[str, Any] | None:
    """What the collector of our data folder says of itself, with a `host` that can be reached; None where none runs."""
    told = running_collector(settings().data_dir)
    return told and told | {"host": reachable(str(told["host"]))}


@st.cache_data(ttl=1.0, show_spinner=False)
def settling() -> dict[str, Any] | None:
    """How far the collector is behind with making runs of spans: `traces_waiting`, `lag_s`; None where none runs.

    Raises:
        DashboardError: it does not answer.
    """
    told = collector()
    found = reader.connect(settings()) if told else None
    behind: dict[str, Any] | None = found.health()["settling"] if isinstance(found, reader.CollectorReader) else None
    return behind


def ask(question: str, **params: Param) -> pa.Table:
    """The answer to `queries/<question>.sql`, at most half a second old (`LIVE_TTLS_S`); all sessions share it.

    Args:
        question: name of the file.
        params: the values of its `$name`s.

    Raises:
        DashboardError: no store yet, collector down, version mismatch, busy file, or the query failed.
    """
    given = tuple(sorted(params.items()))
    return _live[_live_ttl_s()](question, given) if collector() else _from_file(question, given, _file_state())


def ask_steady(question: str, **params: Param) -> pa.Table:
    """Like `ask`, but up to 15 s old: for what rarely changes, as a finished run does."""
    given = tuple(sorted(params.items()))
    return _steady(question, given) if collector() else _from_file(question, given, _file_state())


def ask_once(question: str, **params: Param) -> pa.Table:
    """Like `ask`, but always anew: for long answers of which only what is made of them is kept."""
    return _fetch(question, tuple(sorted(params.items())))


def refreshed(page: str) -> None:
    """Says that a page is open and refreshes itself.

    Args:
        page: of all that are open at once, only this is called so.
    """
    now_s, pages = time.monotonic(), _pages()
    pages[page] = now_s
    for name, at_s in list(pages.items()):
        if now_s - at_s > GONE_S:
            pages.pop(name, None)


@st.cache_resource(show_spinner=False)
def _pages() -> dict[str, float]:
    """When each open page was refreshed last."""
    return {}


def _live_ttl_s() -> float:
    return next((ttl_s for ttl_s in LIVE_TTLS_S if ttl_s >= A_PAGE_S * len(_pages())), LIVE_TTLS_S[-1])


def ahead(ask: Ask, asked: Iterable[Asked]) -> None:
    """Begins to ask, side by side, what a page is about to ask one after another: it then finds the answers, or waits
    for the rest of one. What fails is asked again by the page, which knows what to do.

    Args:
        ask: `ask` or `ask_steady`, the one that the page asks with.
    """
    if collector() is not None:  # a file is opened for one question at a time
        until_s = time.monotonic() + AHEAD_S
        for question, params in asked:
            _side_by_side().submit(_in_time, until_s, ask, question, params)


def _in_time(until_s: float, ask: Ask, question: str, params: Mapping[str, Param]) -> None:
    """Asks, unless the place came free so late that the page may have asked, and the answer be gone again."""
    if time.monotonic() < until_s:
        ask(question, **params)


@st.cache_resource(show_spinner=False)
def _side_by_side() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="ahead")


def weekly(week: str, workflow: str, environment: str) -> tuple[WeeklySummary, dict[str, bytes]]:
    """A week's summary and its files by format, at most a minute old.

    Args:
        week: as in `2026-W46`.
        workflow: '' for all.
        environment: '' for all but those in development, 'all' for those, too.
    """
    return _weekly(week, workflow, environment, _file_state() if not collector() else ())


def day_zone() -> tzinfo:
    """Where a day and a week begin, whoever reads: on pages as in reports, checks and alerts."""
    return zone_of(settings().time_zone)


def storm_limits() -> Limits:
    """From where on retries are a storm."""
    return Limits.of(settings().storms)


@st.cache_data(ttl=60.0, max_entries=16, show_spinner=False)
def _weekly(
    week: str, workflow: str, environment: str, file_state: tuple[int, ...]
) -> tuple[WeeklySummary, dict[str, bytes]]:
    with reader.held(reader.connect(settings())) as held:
        summary = build.weekly(
            held,
            Week.parse(week, day_zone()),
            now_ns=time.time_ns(),
            zone_name=settings().time_zone,
            workflows=[workflow] if workflow else [],
            environment=environment,
            limits=storm_limits(),
        )
    return summary, {form: render(summary) for form, render in RENDER.items()}


def _fetch(question: str, params: Params) -> pa.Table:
    bound = {name: list(value) if isinstance(value, tuple) else value for name, value in params}
    return reader.connect(settings()).query(sql(question), bound)


def _live_for(ttl_s: float) -> Callable[[str, Params], pa.Table]:
    def live(question: str, params: Params) -> pa.Table:
        return _fetch(question, params)

    live.__qualname__ += f" for {ttl_s} s"  # Streamlit tells caches apart by it: else all of them were one
    return st.cache_data(ttl=ttl_s, max_entries=256, show_spinner=False)(live)


_live: Final = {ttl_s: _live_for(ttl_s) for ttl_s in LIVE_TTLS_S}


@st.cache_data(ttl=15.0, max_entries=128, show_spinner=False)
def _steady(question: str, params: Params) -> pa.Table:
    return _fetch(question, params)


@st.cache_data(max_entries=128, show_spinner=False)
def _from_file(question: str, params: Params, file_state: tuple[int, ...]) -> pa.Table:
    """Without a collector nothing changes but by one that came and went, which `file_state` shows.

    The file is opened as seldom as can be: a collector that starts in that moment would find it in use.
    """
    return _fetch(question, params)


def _file_state() -> tuple[int, ...]:
    """Changes whenever the store or its write-ahead log does."""
    path = store_path(settings().data_dir)
    state: list[int] = []
    for file in (path, path.with_name(path.name + ".wal")):
        with suppress(OSError):
            found = file.stat()
            state += [found.st_ino, found.st_mtime_ns, found.st_size]
    return tuple(state)
