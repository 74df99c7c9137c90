"""Bands around shares."""

from math import sqrt
from typing import Final, NamedTuple

Z: Final = 1.959963984540054  # 95 %, two-sided


class Band(NamedTuple):
    """A 95 % band around a share, both ends in 0–1."""

    low: float
    high: float


def wilson(part: float, whole: float) -> Band:
    """The Wilson band of `part` out of `whole`. Nothing known (`whole` 0) is the band from 0 to 1.

    Both may be broken numbers: an estimate that is no simple share is worth some number of trials.
    """
    if whole == 0:
        return Band(0.0, 1.0)
    p, z2 = part / whole, Z * Z
    centre = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z * sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole)) / (1 + z2 / whole)
    # At the ends the formula gives 0 and 1 but for rounding.
    return Band(0.0 if part == 0 else centre - half, 1.0 if part == whole else centre + half)
