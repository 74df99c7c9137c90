"""What a chain delivers as figures, table cells and a bar: on every page that tells of it the same way."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboard import words
from dashboard.analytics import amplification, quantiles, wording
from dashboard.analytics.amplification import Amplified
from dashboard.analytics.quantiles import Quantile
from dashboard.analytics.reliability import Estimate, Loss, in_percent
from dashboard.components.figures import Figure, Tone
from dashboard.components.whole import Part, whole
from dashboard.looks import look

LOST: Final = ["failed", "silent"]
FINISHED: Final = ["clean", "recovered", "silent", "failed"]
KNOWN: Final = [*FINISHED, "pending"]
"""What R rests on: runs whose steps are known, also those that wait for a human at one."""
_NEUTRAL, _RECOVERED = "#9aa3ad", "#7fc4ad"  # paler than the outcome's own: layer tool has that
P95_NEEDS: Final = 72  # runs, for a band of its own (DESIGN: latency)


def estimated(figure: Estimate) -> str | list[str]:
    """A figure as a table shows it: its value with its band beside it, below the gate the band alone."""
    if figure.shown == "nothing" or figure.value is None:
        return words.NOT_KNOWN
    return band(figure) if figure.shown == "band" else [f"{100 * figure.value:.1f} %", band(figure)]


def standing(figure: Estimate) -> float:
    """What lists that begin with the worst order by: the value, of few runs the good end of the band, 1 where unknown.

    One failed run of one stands behind a workflow that fails every fifth of a thousand, five of five before it.
    """
    if figure.shown == "nothing" or figure.value is None:
        return 1.0
    return figure.value if figure.shown == "value and band" else figure.high


def in_short(figure: Estimate) -> str:
    """A figure where there is room for one thing only: its value, below the gate its band."""
    shown = estimated(figure)
    return shown if isinstance(shown, str) else shown[0]


def moved(now: Estimate, before: Estimate, unit: str = " pts") -> str | None:
    """The change in points; None where either rests on too little."""
    if now.value is None or before.value is None or "band" in (now.shown, before.shown):
        return None
    return words.signed(100 * (now.value - before.value)) + unit


def band(figure: Estimate) -> str:
    """The 95 % band in percent."""
    return f"[{100 * figure.low:.1f}, {100 * figure.high:.1f}]"


def figure(
    name: str,
    label: str,
    now: Estimate,
    before: Estimate,
    meaning: str,
    *,
    unit: str = "%",
    more_good: bool = True,
    **look_of: Any,
) -> Figure:
    """One estimate as a figure: below the gate its band alone.

    Args:
        more_good: whether more of it is good news.
        look_of: what else the figure has: a line, a page that it opens.
    """
    if now.shown == "nothing" or now.value is None:
        return Figure(name, label, words.NOT_KNOWN, note=now.reason, help=meaning, **look_of)
    if now.shown == "band":
        few = f"n {words.count(now.n)}: too few for one number"
        return Figure(name, label, band(now), note=few, help=meaning, **look_of)
    more = now.more_for_2_points
    note = f"{band(now)} n {words.count(now.n)}" + (f", {words.count(more)} more for ±2 pts" if more else "")
    change = moved(now, before)
    tone: Tone = "same"
    if before.value is not None and wording.other(now, before):
        tone = "better" if (now.value > before.value) == more_good else "worse"
    return Figure(name, label, f"{100 * now.value:.1f} {unit}", change, tone, note=note, help=meaning, **look_of)


def amplification_figure(now: Amplified | None, before: Amplified | None, **look_of: Any) -> Figure:
    """Attempts an operation, set against the window before."""
    meaning = "Attempts an operation, all operations of all steps, with its 95 % band"
    if now is None:
        return Figure("amplification", "Amplification", words.NOT_KNOWN, note="no operations", help=meaning, **look_of)
    tone: Tone = "same"
    if before is not None and amplification.other(now, before):
        tone = "worse" if now.value > before.value else "better"
    enough = before is not None and before.operations >= amplification.FEWEST_OPERATIONS
    return Figure(
        "amplification",
        "Amplification",
        f"×{now.value:.3f}" if now.value < 1.1 else f"×{now.value:.2f}",
        f"×{before.value:.3f} before" if before and enough else None,
        tone,
        note=f"[{now.low:.3f}, {now.high:.3f}] n {words.count(now.operations)}",
        help=meaning,
        **look_of,
    )


def p95_figure(now: Quantile, before: Quantile, **look_of: Any) -> Figure:
    """How long 95 % of runs took at most, set against the window before; below the gate no more than its band."""
    meaning = "95 % of finished runs took at most this long"
    name, label = "p95", "p95 run"
    if now.value_ns is None:
        return Figure(name, label, words.NOT_KNOWN, note="no run finished", help=meaning, **look_of)
    low, high = (None if end is None else words.duration(round(end)) for end in (now.low_ns, now.high_ns))
    between = f"[{low or words.NOT_KNOWN}, {high or words.NOT_KNOWN}]"
    if now.n < P95_NEEDS:
        few = f"n {words.count(now.n)}: too few for one number"
        return Figure(name, label, f"≥ {low}" if low else words.NOT_KNOWN, note=few, help=meaning, **look_of)
    change, tone = None, "same"
    if before.value_ns is not None and before.n >= P95_NEEDS:
        times = now.value_ns / before.value_ns
        change = (
            f"× {times:.3g}"
            if times >= 3
            else ("± 0" if abs(times - 1) < 0.005 else f"{words.signed(100 * (times - 1), 0)} %")
        )
        if quantiles.other(now, before):
            tone = "worse" if times > 1 else "better"
    value = words.duration(round(now.value_ns))
    return Figure(name, label, value, change, tone, note=f"{between} n {words.count(now.n)}", help=meaning, **look_of)  # type: ignore[arg-type]


def where_runs_went(parts: Sequence[Loss], *, key: str, title: str, params: Mapping[str, Any]) -> None:
    """A bar that adds up to 100 %: clean, recovered, and each layer that runs were lost in.

    Args:
        params: what every part's way to its runs sets beside its own.
    """
    shown = []
    for part, percent in zip(parts, in_percent([part.share for part in parts]), strict=True):
        good, mark = part.part in ("clean", "recovered"), look(part.part)
        shown.append(
            Part(
                part.part,
                part.share,
                f"{percent:.1f} %",
                {"clean": _NEUTRAL, "recovered": _RECOVERED}.get(part.part, mark.color),
                "" if good else mark.icon,
                part.silent / part.runs if part.runs else 0.0,
                f"{words.count(part.silent)} silent" if part.silent else "",
                {**params, **({"state": part.part} if good else {"state": LOST, "lost": part.part})},
            )
        )
    whole(shown, key=key, title=title, label=", ".join(f"{part.name} {part.said}" for part in shown))
