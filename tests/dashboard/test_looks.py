"""One look per layer."""

import itertools
import math
from collections.abc import Sequence
from operator import mul
from typing import Final

import pytest

from dashboard.looks import LAYERS, LENSES, layer_of, look
from schemas.codes import CODES


def test_every_layer_of_both_lenses_has_a_look() -> None:
    """No layer that a code can have is without colour and icon, and a look-up never fails."""
    assert {layer for layers in LENSES.values() for layer in layers} == LAYERS.keys()
    assert {code.layer_a for code in CODES} <= LAYERS.keys()
    assert look("of a later version") == look(None) == LAYERS["unclassified"]


def test_layers_of_one_lens_are_told_apart_twice() -> None:
    """Within a lens no two layers share a colour or an icon."""
    for layers in LENSES.values():
        assert len({LAYERS[layer].color for layer in layers}) == len(layers)
        assert len({LAYERS[layer].icon for layer in layers}) == len(layers)


def test_a_row_has_a_layer_through_each_lens() -> None:
    """The lens chooses the column."""
    row = {"layer_a": "error", "layer_b": "recovery"}
    assert (layer_of(row, "A"), layer_of(row, "B")) == ("error", "recovery")


EYES: Final = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What is seen of linear red, green and blue. Source: Machado, Oliveira, Fernandes 2009, severity 1."""
TOLD_APART: Final = 15.0  # CIELAB; 2.3 is just noticeable side by side, Okabe and Ito's own closest pair has 15.6


@pytest.mark.parametrize("eyes", EYES)
def test_layers_are_told_apart_by_colour_blind_eyes(eyes: str) -> None:
    """Within a lens every two colours stay well apart in what is left to see."""
    for layers in LENSES.values():
        for one, other in itertools.combinations(layers, 2):
            seen = [_lab(_seen(LAYERS[layer].color, EYES[eyes])) for layer in (one, other)]
            assert math.dist(*seen) >= TOLD_APART, (one, other)


def _seen(color: str, eyes: Sequence[Sequence[float]]) -> list[float]:
    """Linear red, green and blue that reach the mind."""
    coded = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in coded]
    return [min(1.0, max(0.0, sum(map(mul, row, linear)))) for row in eyes]


def _lab(linear: Sequence[float]) -> tuple[float, float, float]:
    """CIELAB under D65."""
    to_xyz = ((0.43395, 0.37622, 0.18983), (0.21267, 0.71515, 0.07217), (0.01776, 0.10947, 0.87277))  # over the white
    x, y, z = (_lightness(sum(map(mul, row, linear))) for row in to_xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _lightness(part: float) -> float:
    return part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116
