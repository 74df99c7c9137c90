"""Counts of what was right, with their intervals, and what was not, by name."""

from collections.abc import Mapping

from dashboard.analytics.proportions import wilson


class Tally:
    """How many of how many were right."""

    def __init__(self) -> None:
        self.right = 0
        self.all = 0
        self.wrong: list[str] = []

    def add(self, is_right: bool, what: str) -> None:
        """One more."""
        self.all += 1
        self.right += is_right
        if not is_right:
            self.wrong.append(what)

    def __str__(self) -> str:
        if not self.all:
            return "–"
        low, high = wilson(self.right, self.all)
        return f"{self.right}/{self.all} = {self.right / self.all:.1%} [{low:.1%}, {high:.1%}]"


def wrong_ones(tallies: Mapping[str, Tally]) -> str:
    """What was not right, by name: the backlog."""
    lines = [f"- {name}: {', '.join(sorted({*tally.wrong}))}" for name, tally in tallies.items() if tally.wrong]
    return "\n\nNot right:\n\n" + "\n".join(lines) if lines else ""
