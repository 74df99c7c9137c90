"""What a page says first, in words: the finding with its number, where and since when."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from dashboard import words
from dashboard.analytics.reliability import Estimate, Fix
from dashboard.analytics.reliability.bands import FEWEST_RUNS
from dashboard.analytics.storms import Episode, Key
from dashboard.looks import Lens, layer_of

Row = Mapping[str, Any]

WORTH_SAYING: Final = 0.0005
"""A gain in R that rounds to 0.1 points."""


class Finding(NamedTuple):
    """One sentence, in pieces, so that names from spans stay apart from our own words."""

    pieces: tuple[str, ...]
    """Our words and foreign text in turn, our words first."""
    alarming: bool
    """Runs failed or fell silent."""


def since(first_ns: int, last_ns: int, window: tuple[int, int], now_ns: int, zone: tzinfo) -> str:
    """Since when something goes on, as the end of a sentence; of what went on all along only when it was last seen.

    Args:
        window: where it was looked for, in ns; what began in its first tenth may have begun long before it.
    """
    begins, ends = window
    if first_ns - begins > (ends - begins) / 10:
        return f" since {words.moment(first_ns, zone, now_ns=now_ns)}."
    return f", the last {words.ago(last_ns, now_ns)}."


def overview(
    totals: Row, before: Row, worst: Row | None, window: tuple[int, int], said_of: str, now_ns: int, zone: tzinfo
) -> Finding:
    """How the runs of a window went.

    Args:
        totals, before: rows of `queries/run_totals.sql` for the window and for the one before it.
        worst: the row of `queries/worst_spot.sql`.
        window: the window, in ns.
        said_of: what to call the window, as in "in the last hour".
        now_ns: decides whether a time of today goes without its date.
    """
    failed, silent, finished = totals["failed"], totals["silent"], totals["finished"]
    if totals["runs"] == 0:
        return Finding((f"No runs {said_of}.",), alarming=False)
    if failed + silent == 0:
        open_runs = totals["runs"] - finished
        rest = f" {words.plural(open_runs, 'run is', 'runs are')} not finished." if open_runs else ""
        if finished == 0:
            return Finding((f"{words.plural(totals['runs'], 'run')} {said_of}, none finished yet.",), alarming=False)
        all_of = "The one finished run" if finished == 1 else f"All {words.count(finished)} finished runs"
        return Finding((f"{all_of} {said_of} got through: none failed or fell silent.{rest}",), alarming=False)
    said = f"{words.count(failed)} of {words.plural(finished, 'finished run')} failed {said_of}"
    said += f" ({words.share(failed, finished)}"
    said += f"{_before(before['failed'], before['finished'])})"
    if silent:
        said += f", {words.count(silent)} more fell silent"
    if worst is None:
        return Finding((said + ".",), alarming=True)
    when = since(worst["first_ns"], worst["last_ns"], window, now_ns, zone)
    hit = f": {words.plural(worst['runs'], 'run')}{when}"
    if worst["failing_step"] is None:
        return Finding((f"{said}. Most of them in ", worst["workflow"], hit), alarming=True)
    return Finding((f"{said}. Most broke at ", worst["failing_step"], " in ", worst["workflow"], hit), alarming=True)


def _before(hit: int, runs: int) -> str:
    """How many runs of the window before were hit, to go on with; of too few no share is told, of none nothing."""
    if not runs:
        return ""
    return f"; {words.share(hit, runs) if runs >= FEWEST_RUNS else 'too few'} in the window before"


def going_on(said: Finding, storms: Sequence[Episode], zone: tzinfo, now_ns: int) -> Finding:
    """The first of the storms that go on, and then what was said."""
    first, *more = storms
    begin, *rest = said.pieces
    since = f" ×{first.peak_amplification:.1f} since {words.lately(first.onset_ns, zone, now_ns)}"
    others = f", and {words.count(len(more))} more" if more else ""
    return said._replace(pieces=("A retry storm goes on: ", *_named(first.key), f"{since}{others}. {begin}", *rest))


def _named(key: Key) -> tuple[str, ...]:
    """What storms: a step with its workflow, or what workflows share."""
    return (key.name, " in ", key.workflow) if key.workflow else (key.name,)


def steps(workflow: str, scope: str, delivers: Estimate, runs: int, fixes: Sequence[Fix], window: str) -> Finding:
    """What a chain delivers, and which step is worth fixing first.

    Args:
        scope: the step that was opened; empty: the whole chain.
        fixes: by gain, the best first.
    """
    name = scope or workflow
    if delivers.value is None:
        return Finding(("", name, f": {delivers.reason} {window}."), alarming=False)
    low, high = 100 * delivers.low, 100 * delivers.high
    said = f"{100 * delivers.value:.1f} % [{low:.1f}, {high:.1f}]"
    of = f" of {words.plural(runs, 'visit' if scope else 'run')} {window}"
    if delivers.shown == "band":
        few = f" delivers between {low:.1f} and {high:.1f} %{of}, too few for one figure."
        return Finding(("", name, few), alarming=False)
    if not fixes or fixes[0].gain_half < WORTH_SAYING:
        return Finding(("", name, f" delivers {said}{of}; no step stands out."), alarming=False)
    gain = f" first: half its failures gone is worth {100 * fixes[0].gain_half:+.1f} points."
    return Finding(("", name, f" delivers {said}{of}. Fix ", fixes[0].step, gain), alarming=True)


def failures(
    now: Row | None,
    before: Row | None,
    runs: tuple[int, int],
    spot: Row | None,
    last: Row | None,
    certainty: str,
    lens: Lens,
    window: tuple[int, int],
    said_of: str,
    now_ns: int,
    zone: tzinfo,
) -> Finding:
    """How many failures of one certainty there were, how many runs they hit, and where most of them lie.

    Args:
        now, before: rows of `queries/failure_totals.sql` for the window and for the one before it; None: none.
        runs: how many runs both windows have.
        spot: the layer of a step with most failures, of `spots`.
        last: the row of `queries/failure_before.sql`.
        certainty: observed, inferred or judged.
        lens: the lens that the layer is told through.
        window: the window, in ns.
        said_of: what to call the window, as in "in the last hour".
        now_ns: decides whether a time of today goes without its date.
        zone: the reader's time zone.
    """
    if now is None or now["failures"] == 0 or spot is None:
        if runs[0] == 0:
            return Finding((f"No runs {said_of}.",), alarming=False)
        said = f"No {certainty} failure in {words.plural(runs[0], 'run')} {said_of}."
        if last is None:
            return Finding((said,), alarming=False)
        when = words.moment(last["at_ns"], zone, now_ns=now_ns)
        at = (" at ", last["step"]) if last["step"] else (" in ", last["workflow"])
        return Finding((f"{said} As usual since {when}: the last one was ", last["code"], *at, "."), alarming=False)
    said = f"{words.plural(now['failures'], f'{certainty} failure')} hit {words.count(now['runs'])} of "
    said += f"{words.plural(runs[0], 'run')} {said_of} ({words.share(now['runs'], runs[0])}"
    said += _before(before["runs"] if before else 0, runs[1])
    layer, (code, of_code) = layer_of(spot, lens), spot["codes"].most_common(1)[0]
    when = since(spot["first_ns"], spot["newest_ns"], window, now_ns, zone)
    ours = f": {words.count(spot['failures'])}, "
    ours += "all " if of_code == spot["failures"] else f"{words.count(of_code)} of them "
    where = (" at ", spot["step"], " in ", spot["workflow"]) if spot["step"] else (" in ", spot["workflow"])
    return Finding((f"{said}). Most lie in ", layer or "", *where, ours, code, when), alarming=True)


def spots(rows: Iterable[Row], lens: Lens) -> list[dict[str, Any]]:
    """The layers of each step through a lens, those with most failures first.

    Args:
        rows: of `queries/failure_steps.sql`, which tell both lenses apart.
    """
    found: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
    for row in rows:
        codes = Counter[str](dict(row["codes"]))
        spot = found.setdefault(
            (row["workflow"], row["step"], layer_of(row, lens)), dict(row) | {"failures": 0, "codes": Counter[str]()}
        )
        spot["failures"] += row["failures"]
        spot["codes"] += codes
        spot["first_ns"] = min(spot["first_ns"], row["first_ns"])
        spot["newest_ns"] = max(spot["newest_ns"], row["newest_ns"])
    return sorted(found.values(), key=lambda spot: -spot["failures"])


def retries(
    episodes: Sequence[Episode], times: float, window: str, zone: tzinfo, now_ns: int, *, judged: bool
) -> Finding:
    """Whether retries storm now, and if not, whether they did.

    Args:
        episodes: of one dimension; a storm that goes on has no end.
        times: attempts an operation over the window.
        judged: whether there was ever enough traffic to tell.
    """
    going = [one for one in episodes if one.end_ns is None]
    going.sort(key=lambda one: (one.status != "storm", -one.peak_amplification, one.key))
    if going:
        one = going[0]
        since = words.lately(one.onset_ns, zone, now_ns)
        said = f" ×{one.peak_amplification:.1f} since {since}"
        said += f", trigger {one.trigger}" if one.trigger else ""
        said += "" if one.status == "storm" else ": worth a look, no storm yet"
        more = f"; {words.plural(len(going) - 1, 'other goes', 'others go')} on, too." if len(going) > 1 else "."
        return Finding(("", *_named(one.key), said + more), alarming=one.status == "storm")
    usual = f"×{times:.2f} {window}" if times >= 1.005 else f"hardly any {window}"
    if not judged:
        return Finding((f"Retries: {usual}; too few operations at any time to tell a storm.",), alarming=False)
    if not episodes:
        return Finding((f"Retries as usual: {usual}, no storm.",), alarming=False)
    last = max(episodes, key=lambda one: (one.status == "storm", one.onset_ns))
    what = "storm" if last.status == "storm" else "stretch worth a look"
    count = sum(one.status == last.status for one in episodes)
    several = f"{count} {'storms' if what == 'storm' else 'stretches worth a look'}" if count > 1 else f"one {what}"
    said = f"Retries are quiet now: {usual}; {several} before, the last at "
    at = f", ×{last.peak_amplification:.1f} from {words.lately(last.onset_ns, zone, now_ns)}"
    trigger = f", trigger {last.trigger}." if last.trigger else "."
    return Finding((said, *_named(last.key), at + trigger), alarming=False)
