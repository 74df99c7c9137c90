"""What is wrong now: storms that go on and the newest change point of each workflow, for whoever can ask."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final

from dashboard import calling, changes
from dashboard.analytics import drift, storms
from dashboard.chains import Ask, Asked

STORM_NS: Final = storms.Limits().bucket_ns
"""What windows of storms are whole multiples of."""


def storms_found(ask: Ask, limits: storms.Limits, **filters: Any) -> storms.Found:
    """The storms and looks of which some part lies in a window, and how much of it could be judged.

    Args:
        ask: answers are long and of no use to others: best one that does not keep them.
        limits: from where on it is a storm.
        filters: since_ns, until_ns (both in whole 5 minutes), workflow, version, environment.
    """
    since_ns, until_ns = filters["since_ns"], filters["until_ns"]
    wide, before = _widened(limits, filters)
    most = {
        storms.Key(row["workflow"], row["dimension"], row["name"]): row["most_tries"]
        for row in ask("most_tries", **before).to_pylist()
    }
    called = calling.called(ask, limits.bucket_ns, **wide)
    found = storms.find(called.series(), None, until_ns, most, limits, judged_since_ns=since_ns)
    within = [one for one in found.episodes if one.end_ns is None or one.end_ns > since_ns]
    if not within:
        return replace(found, episodes=())
    keys = {one.key for one in within}
    failed = calling.failed(ask, called, keys, **wide | {"since_ns": min(one.onset_ns for one in within)})
    return replace(found, episodes=storms.triggered(within, failed))


def _widened(limits: storms.Limits, filters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The window with the time in which its storms can have begun, and the days before that."""
    wide = {**filters, "since_ns": max(0, filters["since_ns"] - limits.onset_reach_ns)}
    return wide, {**filters, "since_ns": max(0, wide["since_ns"] - limits.tries_ns), "until_ns": wide["since_ns"]}


def of_workflow(episodes: Iterable[storms.Episode], workflow: str) -> list[storms.Episode]:
    """The episodes that hit a workflow: of its steps, and of what it shares with others if it tried that again."""
    return [
        one
        for one in episodes
        if (one.key.workflow == workflow if one.key.dimension == "step" else workflow in one.workflows)
    ]


def active_storms(ask: Ask, limits: storms.Limits, now_ns: int, **filters: Any) -> list[storms.Episode]:
    """The storms that go on, the strongest first; of each step and dependency at most one.

    Args:
        filters: workflow, version, environment.
    """
    found = storms_found(ask, limits, **_now(now_ns), **filters)
    going = [one for one in found.episodes if one.status == "storm" and one.end_ns is None]
    return sorted(going, key=lambda one: (-one.peak_amplification, one.key))


def asked_of_active(limits: storms.Limits, now_ns: int, **filters: Any) -> list[Asked]:
    """What `active_storms` asks in any case, for whoever asks it ahead."""
    wide, before = _widened(limits, {**_now(now_ns), **filters})
    return [("most_tries", before), *calling.asked_of_called(**wide)]


def _now(now_ns: int) -> dict[str, int]:
    until_ns = now_ns // STORM_NS * STORM_NS
    return {"since_ns": until_ns - STORM_NS, "until_ns": until_ns}


def newest_changes(ask: Ask, now_ns: int, zone: tzinfo, **filters: Any) -> dict[str, drift.ChangePoint]:
    """The newest change point of what users of each workflow got, the newest first; a single bad day is none.

    Args:
        filters: workflow, version, environment.
    """
    until_ns = -(-now_ns // STORM_NS) * STORM_NS
    found = {}
    for name, one in changes.successes(ask, until_ns, zone, **filters).items():
        points = [change for change in one.examined.changes if change.verdict == "change point"]
        if points:
            found[name] = points[-1]
    return dict(sorted(found.items(), key=lambda item: (-item[1].at.toordinal(), item[0])))
