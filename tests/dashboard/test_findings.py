"""What a page says first."""

from datetime import UTC
from typing import Any

from dashboard.analytics import findings
from dashboard.analytics.proportions import wilson

NOW = 1_790_000_000_000_000_000
MINUTE = 60 * 10**9
HOUR = (NOW - 60 * MINUTE, NOW)


def totals(**counts: int) -> dict[str, Any]:
    base = dict.fromkeys(("runs", "finished", "clean", "recovered", "silent", "failed", "pending", "unfinished"), 0)
    return base | counts


def said(finding: findings.Finding) -> str:
    return "".join(finding.pieces)


def overview(now: dict[str, Any], before: dict[str, Any], worst: dict[str, Any] | None = None) -> str:
    return said(findings.overview(now, before, worst, HOUR, "in the last hour", NOW, UTC))


def test_failures_are_told_with_share_change_and_place() -> None:
    """The finding names how many, the share, the share before, where and since when."""
    at = {"first_ns": NOW - 20 * MINUTE, "last_ns": NOW - MINUTE}
    worst = {"workflow": "refund_triage", "failing_step": "ledger.query", "runs": 18} | at
    now = totals(runs=500, finished=482, failed=31, silent=4)
    assert overview(now, totals(finished=480, failed=10), worst) == (
        "31 of 482 finished runs failed in the last hour (6.4 %; 2.1 % in the window before), 4 more fell silent. "
        "Most broke at ledger.query in refund_triage: 18 runs since 13:53:20."
    )
    assert overview(now, totals(), worst | {"first_ns": HOUR[0]}).endswith(": 18 runs, the last 1 min ago.")


def test_of_few_runs_before_no_share_is_told() -> None:
    """One or two runs make no share to compare with; of none nothing is said."""
    now, few = totals(runs=500, finished=482, failed=31), "31 of 482 finished runs failed in the last hour (6.4 %"
    assert overview(now, totals(finished=29)) == f"{few}; too few in the window before)."
    assert overview(now, totals(finished=30)) == f"{few}; 0 % in the window before)."
    assert overview(now, totals()) == f"{few})."


def test_foreign_text_is_kept_apart() -> None:
    """Names from spans stand at odd places, so that a page can escape them and nothing else."""
    worst = {"workflow": "<w>", "failing_step": "<s>", "runs": 1, "first_ns": NOW, "last_ns": NOW}
    finding = findings.overview(totals(runs=1, finished=1, failed=1), totals(), worst, HOUR, "today", NOW, UTC)
    assert finding.pieces[1::2] == ("<s>", "<w>")
    assert not any("<" in piece for piece in finding.pieces[::2])


def test_good_news_is_plain() -> None:
    """Nothing failed: no alarm, and what is still open is counted."""
    assert overview(totals(runs=12, finished=10, clean=10), totals()) == (
        "All 10 finished runs in the last hour got through: none failed or fell silent. 2 runs are not finished."
    )


def test_no_runs() -> None:
    """Silence is told as silence."""
    assert overview(totals(), totals()) == "No runs in the last hour."


def test_wilson_band() -> None:
    """Known values; nothing known is the whole range."""
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 30).low == 0.0
    assert wilson(30, 30).high == 1.0


def failures(
    now: dict[str, Any] | None,
    spots: list[dict[str, Any]],
    last: dict[str, Any] | None = None,
    runs: int = 90,
    runs_before: int = 60,
) -> str:
    before = {"runs": 3, "failures": 3}
    spot = next(iter(findings.spots(spots, "B")), None)
    return said(
        findings.failures(
            now, before, (runs, runs_before), spot, last, "observed", "B", HOUR, "in the last hour", NOW, UTC
        )
    )


def test_failures_are_told_with_the_runs_they_hit_and_where_most_lie() -> None:
    """How many, the share of runs, the share before, the layer through the lens, its place, and the code of most."""
    at = {"workflow": "refunds", "step": "ledger.query", "first_ns": NOW - 20 * MINUTE, "newest_ns": NOW - MINUTE}
    spots = [
        at
        | {"layer_a": "tool", "layer_b": "recovery", "failures": 6, "codes": [("tool.timeout", 4), ("tool.error", 2)]},
        at | {"layer_a": "component", "layer_b": "recovery", "failures": 2, "codes": [("tool.timeout", 2)]},
        at | {"layer_a": "tool", "layer_b": "component", "failures": 7, "codes": [("tool.auth", 7)]},
    ]
    assert failures({"failures": 15, "runs": 9}, spots) == (
        "15 observed failures hit 9 of 90 runs in the last hour (10.0 %; 5.0 % in the window before). "
        "Most lie in recovery at ledger.query in refunds: 8, 6 of them tool.timeout since 13:53:20."
    )
    assert "(10.0 %; too few in the window before)" in failures({"failures": 15, "runs": 9}, spots, runs_before=4)
    assert failures({"failures": 7, "runs": 7}, spots[2:]).endswith(": 7, all tool.auth since 13:53:20.")


def test_without_failures_the_page_says_since_when() -> None:
    """As usual, and since when; or that nothing ran at all."""
    last = {"at_ns": NOW, "code": "tool.timeout", "step": None, "workflow": "refunds"}
    assert failures(None, [], last) == (
        "No observed failure in 90 runs in the last hour. "
        "As usual since 14:13:20: the last one was tool.timeout in refunds."
    )
    assert failures(None, []) == "No observed failure in 90 runs in the last hour."
    assert failures(None, [], runs=0) == "No runs in the last hour."
