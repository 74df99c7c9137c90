"""How a run ended, as a badge: colour, shape and word say the same."""

from typing import Final, Literal

Color = Literal["red", "yellow", "green", "violet", "gray"]

LOOKS: Final[dict[str, tuple[str, Color]]] = {
    "clean": ("check_circle", "gray"),
    "recovered": ("restart_alt", "green"),
    "silent": ("contrast", "yellow"),
    "failed": ("dangerous", "red"),
    "pending": ("pause_circle", "violet"),
    "running": ("progress_activity", "gray"),
    "abandoned": ("block", "gray"),
}


def outcome_badge(state: str) -> str:
    """The state of a run as a Markdown badge."""
    icon, color = LOOKS[state]
    return f":{color}-badge[:material/{icon}: {state}]"
