"""How layers look: one colour, one icon and one place per layer, the same in charts, tables, badges and reports.

Colours are Okabe and Ito's, told apart by colour-blind eyes too (the grey of `component` is darker than is usual: to
red-green-blind eyes their purple is a middle grey); what colour says, icon and word say as well.
"""

from typing import Any, Final, Literal, NamedTuple

from schemas.taxonomy import LayerA, LayerB

Lens = Literal["A", "B"]


class Look(NamedTuple):
    """What stands for a layer."""

    color: str
    icon: str
    """Name of a Material Symbol."""


_CONTROL: Final = Look("#cc79a7", "alt_route")
_ERROR: Final = Look("#e69f00", "healing")

LAYERS: Final[dict[str, Look]] = {
    "state": Look("#0072b2", "database"),
    "control": _CONTROL,
    "routing": _CONTROL,
    "error": _ERROR,
    "recovery": _ERROR,
    "tool": Look("#009e73", "build"),
    "handoff": Look("#56b4e9", "swap_horiz"),
    "component": Look("#666666", "memory"),
    "unclassified": Look("#c9ced4", "help"),
}
"""Of both lenses; what the lenses name differently and mean alike looks alike."""

HATCHED: Final = "unclassified"
"""Drawn hatched: it is no layer but what is not known yet."""

LENSES: Final[dict[Lens, tuple[str, ...]]] = {
    "A": tuple(map(str, LayerA)),
    "B": tuple(map(str, LayerB)),
}
"""The layers of each lens in their order: the four coordination layers, `component`, `unclassified`."""

COORDINATION: Final = 4
"""How many of a lens's layers, from the first, lie between the steps."""


def layer_of(row: Any, lens: Lens) -> str | None:
    """The layer through a lens, of a row that has both."""
    found: str | None = row["layer_a"] if lens == "A" else row["layer_b"]
    return found


def look(layer: str | None) -> Look:
    """How a layer looks; an unknown one as what is not known."""
    return LAYERS.get(layer or HATCHED, LAYERS[HATCHED])
