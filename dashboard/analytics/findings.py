"""What a page says first, in words: the finding with its number, where and since when."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from dashboard import words

Row = Mapping[str, Any]

KINDS: Final = {
    "llm": "model call",
    "tool": "tool call",
    "retrieval": "look-up",
    "chain": "step",
    "workflow": "workflow",
}


class Finding(NamedTuple):
    """One sentence, in pieces, so that names from spans stay apart from our own words."""

    pieces: tuple[str, ...]
    """Our words and foreign text in turn, our words first."""
    alarming: bool
    """Runs failed or fell silent."""


def overview(totals: Row, before: Row, worst: Row | None, window: str, now_ns: int, zone: tzinfo) -> Finding:
    """How the runs of a window went.

    Args:
        totals, before: rows of `queries/run_totals.sql` for the window and for the one before it.
        worst: the row of `queries/worst_spot.sql`.
        window: what to call the window, as in "in the last hour".
        now_ns: decides whether a time of today goes without its date.
    """
    failed, silent, finished = totals["failed"], totals["silent"], totals["finished"]
    if totals["runs"] == 0:
        return Finding((f"No runs {window}.",), alarming=False)
    if failed + silent == 0:
        open_runs = totals["runs"] - finished
        rest = f" {words.plural(open_runs, 'run is', 'runs are')} not finished." if open_runs else ""
        if finished == 0:
            return Finding((f"{words.plural(totals['runs'], 'run')} {window}, none finished yet.",), alarming=False)
        all_of = "The one finished run" if finished == 1 else f"All {words.count(finished)} finished runs"
        return Finding((f"{all_of} {window} got through: none failed or fell silent.{rest}",), alarming=False)
    said = f"{words.count(failed)} of {words.plural(finished, 'finished run')} failed {window}"
    said += f" ({words.share(failed, finished)}"
    if before["finished"]:
        said += f"; {words.share(before['failed'], before['finished'])} in the window before"
    said += ")"
    if silent:
        said += f", {words.count(silent)} more fell silent"
    if worst is None:
        return Finding((said + ".",), alarming=True)
    when = words.moment(worst["first_ns"], zone, now_ns=now_ns)
    hit = f": {words.plural(worst['runs'], 'run')} since {when}."
    if worst["failing_step"] is None:
        return Finding((f"{said}. Most of them in ", worst["workflow"], hit), alarming=True)
    return Finding((f"{said}. Most broke at ", worst["failing_step"], " in ", worst["workflow"], hit), alarming=True)


def run(row: Row, origin: Row | None, failure: Row | None) -> Finding | None:
    """What failed where in one run; None where there is nothing to explain.

    Args:
        row: the run, a row of `queries/run_by_id.sql`.
        origin: the step it began in, a row of `queries/run_origin.sql`.
        failure: its first root occurrence, a row of `queries/run_failures.sql`.
    """
    outcome = row["outcome"]
    if outcome == "pending":
        return Finding(("The run waits for a human.",), alarming=False)
    if outcome == "open":
        return Finding(("The run has not finished: no end of its root span has arrived.",), alarming=False)
    if outcome == "clean":
        return None
    ending = {
        "failed": "and the run failed",
        "silent": "and nothing at the top of the run says so",
        "recovered": "and the run recovered from it",
    }[outcome]
    if origin is None:
        where = row["failing_step"]
        return (
            Finding(("Something failed at ", where, f", {ending}."), True)
            if where
            else Finding((f"Something failed, {ending}.",), True)
        )
    tries = f" on try {origin['attempt']}" if origin["attempt"] and origin["attempt"] > 1 else ""
    took = f" after {words.duration(origin['duration_ns'])}" if origin["duration_ns"] is not None else ""
    error = origin["error_type"] or (failure["error_type"] if failure else None)
    verb = "failed" if error or origin["in_band_error"] is None else "answered with an error inside a good status"
    pieces = [f"The {KINDS.get(origin['kind'], origin['kind'] + ' step')} ", origin["name"]]
    if origin["chain_step"] and origin["chain_step"] != origin["name"]:
        pieces += [" of ", origin["chain_step"]]
    else:
        pieces += ["", ""]
    pieces += [f" {verb}{took}{tries}" + (" with " if error else ""), error or "", f", {ending}."]
    return Finding(tuple(pieces), alarming=outcome != "recovered")
