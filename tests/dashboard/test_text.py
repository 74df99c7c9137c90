"""Hostile text stays text."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboard.components.text import clip, plot_text, safe
from tests.dashboard.hostile import HOSTILE_PAYLOADS


@given(some.text())
def test_every_markdown_sign_is_escaped(text: str) -> None:
    """No punctuation is left that Markdown could read, and it is one line."""
    shown = safe(text, 10_000)
    assert "\n" not in shown
    bare = shown.replace("\\\\", "")
    for before, sign in zip(" " + bare, bare, strict=False):
        assert sign not in string.punctuation or before == "\\" or sign == "\\"


@pytest.mark.parametrize("text", ["http://evil/x", "HTTPS://evil", "www.evil.com", "a@evil.com"])
def test_bare_addresses_do_not_link(text: str) -> None:
    """The link finder runs after escapes are resolved, so the address itself is broken up, invisibly."""
    resolved = safe(text).replace("\\", "")
    assert resolved != text
    assert resolved.replace("\u2060", "") == text


@pytest.mark.parametrize("payload", HOSTILE_PAYLOADS)
def test_plotly_gets_no_markup(payload: str) -> None:
    """Nothing in a figure's text opens a tag."""
    shown = plot_text(payload.format(url="http://canary"))
    assert "<" not in shown
    assert len(shown) < 500


def test_cut_first_escape_last() -> None:
    """An entity is never cut in half."""
    assert plot_text("<" * 200, 3) == "&lt;&lt;…"


def test_clip_says_that_it_cut() -> None:
    """The last character of a cut text is an ellipsis."""
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"
