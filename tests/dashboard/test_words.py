"""Numbers and times in words."""

from datetime import UTC

import pytest

from dashboard import words

S = 1_000_000_000


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (None, "–"),
        (0, "0 ns"),
        (999, "999 ns"),
        (1_500, "1.50 µs"),
        (143_000_000, "143 ms"),
        (999_999_999, "1.00 s"),
        (14_200_000_000, "14.2 s"),
        (59_990_000_000, "1 m 00 s"),
        (151 * S, "2 m 31 s"),
        (3_840 * S, "1 h 04 m"),
        (3 * 86_400 * S, "3.00 d"),
    ],
)
def test_duration(ns: int | None, shown: str) -> None:
    """Three digits and a unit."""
    assert words.duration(ns) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(None, "–"), (0, "0"), (3210, "3,210"), (123_456, "123 k"), (999_499, "999 k"), (999_837, "1.00 M")],
)
def test_count(number: int | None, shown: str) -> None:
    """In full while it can be read."""
    assert words.count(number) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "–"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (31, 482, "6.4 %"),
        (1, 100_000, "< 0.1 %"),
        (99_999, 100_000, "> 99.9 %"),
    ],
)
def test_share(part: int, whole: int, shown: str) -> None:
    """Some is never shown as none, nor nearly all as all."""
    assert words.share(part, whole) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "now"), (3, "3 s ago"), (89, "1 min ago"), (7199, "119 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")],
)
def test_ago(seconds: int, shown: str) -> None:
    """One unit."""
    assert words.ago(0, seconds * S) == shown


def test_money_and_plural() -> None:
    """Small amounts keep their digits."""
    shown = [words.money(usd) for usd in (None, 0, 1e-6, 0.00123, 0.03, 1234.5)]
    assert shown == ["–", "$0", "< $0.0001", "$0.0012", "$0.03", "$1,234.50"]
    assert words.plural(1, "run") == "1 run"
    assert words.plural(3210, "run") == "3,210 runs"


def test_moment_drops_the_date_of_today() -> None:
    """A time of another day keeps its date."""
    assert words.moment(0, UTC, now_ns=3600 * S) == "00:00:00"
    assert words.moment(0, UTC, now_ns=90_000 * S) == "01 Jan 00:00:00"
    assert words.iso(0) == "1970-01-01T00:00:00Z"
