"""What is wrong now: storms that go on and the newest change point of each workflow, for whoever can ask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from dashboard import changes
from dashboard.analytics import drift, storms
from dashboard.chains import Ask
from dashboard.reports.weeks import HOUR_NS

STORM_NS: Final = storms.Limits().bucket_ns
"""What windows of storms are whole multiples of."""
MOST_STRETCHES: Final = 4_000
"""Asked about at a time: a question may be a MiB long."""


class _Stretch(NamedTuple):
    """Some time of what calls are counted by."""

    key: storms.Key
    begin_ns: int
    end_ns: int


def storms_found(ask: Ask, limits: storms.Limits, **filters: Any) -> storms.Found:
    """The storms and looks of which some part lies in a window.

    Args:
        limits: from where on it is a storm.
        filters: since_ns, until_ns (both in whole 5 minutes), workflow, version, environment.
    """
    since_ns, until_ns = filters["since_ns"], filters["until_ns"]
    wide, before = _widened(limits, filters)
    most = {_key(row): row["most_tries"] for row in ask("most_tries", **before).to_pylist()}
    found = storms.find(_calls(ask, limits, most, wide), (), until_ns, most, replace(limits, tries_ns=limits.reach_ns))
    within = [one for one in found.episodes if one.end_ns is None or one.end_ns > since_ns]
    return storms.Found(storms.triggered(within, _failures(ask, within, wide)), found.states, {})


def _widened(limits: storms.Limits, filters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The window with the time in which its storms can have begun, and the days before that."""
    wide = {**filters, "since_ns": max(0, filters["since_ns"] - limits.onset_reach_ns)}
    return wide, {**filters, "since_ns": max(0, wide["since_ns"] - limits.tries_ns), "until_ns": wide["since_ns"]}


def _counted(limits: storms.Limits, wide: Mapping[str, Any]) -> dict[str, Any]:
    """What `calls_counted` is asked with."""
    return {"extra": limits.least_extra, "reach_ns": limits.reach_ns, **wide}


def _calls(
    ask: Ask, limits: storms.Limits, most: Mapping[storms.Key, int], wide: Mapping[str, Any]
) -> list[storms.Series]:
    """The calls near whatever is a storm or worth a look: all of them would be some hundred thousand rows.

    Each with the most tries of an operation in the days before it, too, of which most rows are left out.
    """
    counted = ask("calls_counted", **_counted(limits, wide))
    first_ns, stretches, most_tries = wide["since_ns"], [], {}
    for row, key in enumerate(map(_key, counted.select(["workflow", "dimension", "name"]).to_pylist())):
        buckets_ns, operations, attempts = _numbers(counted.column("buckets"), row)
        again_ns, tries = _numbers(counted.column("again"), row)
        series = storms.Counted(first_ns, wide["until_ns"], buckets_ns, operations, attempts, again_ns, tries, limits)
        near = series.near()
        stretches += [_Stretch(key, begin_ns, end_ns) for begin_ns, end_ns in near]
        if near:
            most_tries[key] = series.most_tries(most.get(key, 0))
    if not stretches:
        return []
    return [
        replace(one, most_tries=most_tries[one.key][(one.buckets_ns - first_ns) // limits.bucket_ns])
        for one in storms.series_of(_asked_of(ask, "calls_near_retries", stretches, wide))
    ]


def _numbers(column: pa.ChunkedArray, row: int) -> list[storms.Counts]:
    """The columns of a list of structs."""
    return [numbers.to_numpy().astype(np.int64) for numbers in column[row].values.flatten()]


def _failures(ask: Ask, episodes: Sequence[storms.Episode], wide: Mapping[str, Any]) -> list[storms.Failures]:
    """The failures in the episodes, of what they are storms of."""
    if not episodes:
        return []
    stretches = [_Stretch(one.key, one.onset_ns, one.end_ns or wide["until_ns"]) for one in episodes]
    rows = _asked_of(ask, "storm_triggers", stretches, wide).to_pylist()
    return [storms.Failures(_key(row), row["bucket_ns"], row["code"], row["failures"]) for row in rows]


def _asked_of(ask: Ask, question: str, stretches: Sequence[_Stretch], wide: Mapping[str, Any]) -> pa.Table:
    """The answer to a question about stretches, of which there are some, asked about a part of their time at a time.

    Names are those of the whole window: what a call is named by depends on what else there was.
    """
    in_order = sorted(stretches, key=lambda one: one.begin_ns)
    named = {"names_since_ns": wide["since_ns"], "names_until_ns": wide["until_ns"]}
    answers = []
    for first in range(0, len(in_order), MOST_STRETCHES):
        part = in_order[first : first + MOST_STRETCHES]
        owners, dimensions, names = map(list, zip(*(one.key for one in part), strict=True))
        begins_ns, ends_ns = [one.begin_ns for one in part], [one.end_ns for one in part]
        window = {"since_ns": min(begins_ns), "until_ns": max(ends_ns), "begins_ns": begins_ns, "ends_ns": ends_ns}
        of_part = {"owners": owners, "dimensions": dimensions, "names": names}
        answers.append(ask(question, **{**wide, **named, **window, **of_part}))
    return pa.concat_tables(answers)


def judged(ask: Ask, limits: storms.Limits, **filters: Any) -> dict[storms.Key, float]:
    """Of each name the share of its hours with enough operations to tell a storm from chance.

    Args:
        limits: what is enough.
        filters: since_ns, until_ns (both in whole 5 minutes), workflow, version, environment.
    """
    enough = limits.least_operations * HOUR_NS // limits.reach_ns
    return {
        _key(row): row["judged"] / row["hours"] for row in ask("calls_judged", enough=enough, **filters).to_pylist()
    }


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


def asked_of_active(limits: storms.Limits, now_ns: int, **filters: Any) -> list[tuple[str, dict[str, Any]]]:
    """What `active_storms` asks in any case, for whoever asks it ahead."""
    wide, before = _widened(limits, {**_now(now_ns), **filters})
    return [("most_tries", before), ("calls_counted", _counted(limits, wide))]


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


def _key(row: Mapping[str, Any]) -> storms.Key:
    return storms.Key(row["workflow"], row["dimension"], row["name"])
