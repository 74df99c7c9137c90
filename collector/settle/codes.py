"""Names for failures: a code, its layer through each lens, and how bad it is (TAXONOMY)."""

from typing import Final, NamedTuple

from schemas.taxonomy import LayerA, LayerB


class Code(NamedTuple):
    """One failure code; it has one layer per lens."""

    code: str
    layer_a: LayerA
    layer_b: LayerB
    severity: str
    """low, medium, high or critical; low never decides an outcome."""


UNCLASSIFIED: Final = Code("unclassified", LayerA.UNCLASSIFIED, LayerB.UNCLASSIFIED, "medium")
"""A failure that no rule names: it stays visible, with its exception class, as the backlog of rules."""
