"""What the sidebar filters by, and how it stands in the URL."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from dashboard import store, words
from dashboard.components.text import safe
from dashboard.looks import COORDINATION, LENSES, Lens, look
from dashboard.questions import EVERYTHING
from dashboard.store import Param

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
GRAIN: Final = 5 * MINUTE
"""What roll-ups count by."""


@dataclass(frozen=True)
class Span:
    """A choice of the window filter."""

    length_ns: int
    bucket_ns: int
    said: str


SPANS: Final = {
    "15m": Span(15 * MINUTE, MINUTE, "in the last 15 minutes"),
    "1h": Span(HOUR, MINUTE, "in the last hour"),
    "6h": Span(6 * HOUR, 5 * MINUTE, "in the last 6 hours"),
    "24h": Span(DAY, 15 * MINUTE, "in the last 24 hours"),
    "7d": Span(7 * DAY, 2 * HOUR, "in the last 7 days"),
    "28d": Span(28 * DAY, 6 * HOUR, "in the last 28 days"),
    "90d": Span(90 * DAY, DAY, "in the last 90 days"),
}
DEFAULT_SPAN: Final = "1h"
DEFAULT_LENS: Final[Lens] = "A"
MOST_NAMES: Final = 200  # that the queries for them name; beyond that some are not offered
MAX_COLUMNS: Final = 120  # of a chart over an exact range


@dataclass(frozen=True)
class Window:
    """A stretch of time, half-open, cut into columns for charts."""

    since_ns: int
    until_ns: int
    bucket_ns: int
    said: str
    """As it stands in a sentence: "in the last hour"."""
    exact: bool
    """Two fixed moments rather than a length that ends now."""

    def before(self) -> "Window":
        """The stretch of the same length that ends where this one begins."""
        length = self.until_ns - self.since_ns
        return Window(max(0, self.since_ns - length), self.since_ns, self.bucket_ns, "in the window before", self.exact)

    def address(self) -> dict[str, str]:
        """What opens it, beside the shared filters: the moments of an exact one."""
        return {"from": words.iso(self.since_ns), "to": words.iso(self.until_ns)} if self.exact else {}

    def widened(self, grain_ns: int = GRAIN) -> "Window":
        """The stretch with its ends moved out to whole grains."""
        since, until = self.since_ns // grain_ns * grain_ns, -(-self.until_ns // grain_ns) * grain_ns
        return replace(self, since_ns=since, until_ns=until)


@dataclass(frozen=True)
class Filters:
    """What all pages filter by. Empty text stands for all; as an environment for all but those in development."""

    workflow: str
    version: str
    environment: str
    window: Window
    lens: Lens
    live: bool

    def scope(self, window: Window | None = None) -> dict[str, Param]:
        """The parameters that most queries share; the window is the one in force where no other is given."""
        window = window or self.window
        return {
            "since_ns": window.since_ns,
            "until_ns": window.until_ns,
            "workflow": self.workflow,
            "version": self.version,
            "environment": self.environment,
        }


def zone() -> tzinfo:
    """The zone of clock times: the reader's, as the browser says; UTC where it does not. Days begin in `day_zone`."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def current() -> Filters:
    """The filters in force now."""
    state = st.session_state
    return Filters(
        workflow=state.get("workflow") or "",
        version=state.get("version") or "",
        environment=state.get("environment") or state.get("environment_default", ""),
        window=_window(),
        lens="B" if state.get("lens") == "B" else DEFAULT_LENS,
        live=bool(state.get("live", True)),
    )


def carried(**more: str) -> dict[str, str]:
    """Query parameters for a way to another page: an exact time range, and `more`. The sidebar's widgets carry their
    own."""
    return {key: st.query_params[key] for key in ("from", "to") if key in st.query_params} | more


def sidebar() -> None:
    """Draws the shared filters. A range of the URL that cannot be is named, and the window takes its place."""
    _complain()
    st.selectbox(
        "Workflow",
        _names("workflow", "workflow"),
        index=None,
        placeholder="All workflows",
        key="workflow",
        bind="query-params",
        on_change=_any_version,
    )
    workflow = st.session_state["workflow"] or ""
    st.selectbox(
        "Version",
        _names("version", "workflow_version", workflow=workflow),
        index=None,
        placeholder="All versions",
        key="version",
        bind="query-params",
    )
    names = _names("environment", "environment")
    (there,) = store.ask_steady("environment_default").to_pylist()
    mixed = there["development"] and there["delivered"]
    st.session_state["environment_default"] = "" if there["delivered"] else EVERYTHING
    st.selectbox(
        "Environment",
        [*names, *([EVERYTHING] if mixed and EVERYTHING not in names else [])],
        index=None,
        placeholder="All but development" if mixed else "All environments",
        key="environment",
        bind="query-params",
        help="Runs in development are nobody's experience: unless you choose them, or `all`, they count nowhere.",
    )
    exact = _exact_range()
    st.pills(  # a joined control breaks where it wraps, and seven lengths do not fit into one row
        "Window",
        list(SPANS),
        default=DEFAULT_SPAN,
        required=True,
        wrap=True,
        key="window",
        bind="query-params",
        disabled=exact is not None,
    )
    if exact:
        here = zone()
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.caption(f"{words.moment(exact[0], here)} to {words.moment(exact[1], here)}")
            if st.button(
                "", icon=":material/close:", type="tertiary", help="Back to the window above", key="window_clear"
            ):
                for key in ("from", "to"):
                    st.query_params.pop(key, None)
                st.rerun()
    lens: Lens = st.segmented_control(
        "Lens",
        list(LENSES),
        default=DEFAULT_LENS,
        required=True,
        key="lens",
        bind="query-params",
        help="Two ways to cut coordination failures into layers. Every failure has one layer in each.",
    )
    st.caption(" · ".join(f":material/{look(layer).icon}: {layer}" for layer in LENSES[lens][:COORDINATION]))
    st.toggle(
        "Live",
        value=True,
        key="live",
        bind="query-params",
        help="Off: the page holds still, and the foot of this bar counts what is new.",
    )


def _any_version() -> None:
    """Versions belong to a workflow: another one starts with all of its own."""
    st.session_state["version"] = None


def _names(name: str, column: str, **params: Param) -> list[str]:
    """What a filter offers, and what the URL asks for even where no run bears it (any more)."""
    names: list[str] = store.ask_steady(f"{name}_names", **params).column(column).to_pylist()
    wanted = st.session_state.get(name) or st.query_params.get(name)
    if not wanted or wanted in names:
        return names
    if wanted != EVERYTHING and len(names) < MOST_NAMES:
        st.warning(f"No run is of {name} “{safe(wanted, 60)}”. Clear the filter here, or mend the link.")
    return [wanted, *names]


def _complain() -> None:
    if ("from" in st.query_params or "to" in st.query_params) and _exact_range() is None:
        st.warning(
            "The link's `from` and `to` are not two moments in order, such as 2026-11-16T09:00:00Z; they are left out."
        )


def _exact_range() -> tuple[int, int] | None:
    """The range that `from` and `to` of the URL give; None without them or where they make no sense."""
    try:
        since, until = (_moment_ns(st.query_params[key]) for key in ("from", "to"))
    except (KeyError, ValueError, OverflowError):
        return None
    return (since, until) if 0 <= since < until else None


def _moment_ns(text: str) -> int:
    when = datetime.fromisoformat(text)
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1_000) * 1_000_000


def _window() -> Window:
    exact = _exact_range()
    if exact:
        since, until = exact
        bucket = next((b for b in BUCKETS if (until - since) / b <= MAX_COLUMNS), BUCKETS[-1])
        since, until = since // bucket * bucket, -(-until // bucket) * bucket
        here = zone()
        return Window(
            since, until, bucket, f"from {words.moment(since, here)} to {words.moment(until, here)}", exact=True
        )
    choice = SPANS[st.session_state.get("window") or DEFAULT_SPAN]
    # Ends on a whole column, so that all sessions ask the same question and share its answer.
    until = (time.time_ns() // choice.bucket_ns + 1) * choice.bucket_ns
    # And begins where roll-ups do, so that a figure made from them counts the same runs that Runs lists.
    since = (until - choice.length_ns) // GRAIN * GRAIN
    return Window(since, until, choice.bucket_ns, choice.said, exact=False)


BUCKETS: Final = (
    SECOND,
    5 * SECOND,
    15 * SECOND,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    DAY,
    7 * DAY,
)
