"""One look per layer."""

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
