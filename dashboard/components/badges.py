"""How a run ended, and a layer, as a badge: colour, shape and word say the same."""

from typing import Any, Final, Literal

from dashboard.looks import HATCHED, look

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


def layer_mark(layer: str | None) -> dict[str, Any]:
    """A layer as browser components draw it."""
    found = look(layer)
    return {
        "name": layer or HATCHED,
        "color": found.color,
        "icon": found.icon,
        "hatched": (layer or HATCHED) == HATCHED,
    }
