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


def difference(before: float, before_band: Band, after: float, after_band: Band) -> Band:
    """The band of `after` − `before`, two independent shares with bands of their own.

    Source: Newcombe, Statistics in Medicine 17 (1998), 873–890, method 10: Wilson bands, squared and added.
    """
    moved = movement(before, before_band, after, after_band)
    return Band(max(-1.0, moved.low), min(1.0, moved.high))


def movement(before: float, before_band: Band, after: float, after_band: Band) -> Band:
    """The band of `after` − `before`, two independent figures of any kind with bands of their own.

    Source: Zou and Donner, Statistics in Medicine 27 (2008), 1693–1702: what Newcombe's does, for any two bands.
    """
    moved = after - before
    down = sqrt((after - after_band.low) ** 2 + (before_band.high - before) ** 2)
    up = sqrt((after_band.high - after) ** 2 + (before - before_band.low) ** 2)
    return Band(moved - down, moved + up)
