"""Hostile text on its way to the screen.

Span text goes into `st.text`, `st.code`, `st.json`, `st.dataframe` or a component that sets `textContent`.
Where it must stand in a Markdown label it passes `safe`, in a plotly figure `plot_text`, in a CSV file
`dashboard.rows.cell`.
"""

import html
import re
import string
from collections.abc import Sequence
from typing import Final

SAFE_LIMIT: Final = 200
PLOT_LIMIT: Final = 80  # as long as a tick label can be read

_ESCAPED: Final = str.maketrans({sign: "\\" + sign for sign in string.punctuation})
_WORD_JOINER: Final = "\u2060"
_LINK_STARTS: Final = re.compile(r"(://|www\.|@)", re.IGNORECASE)
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")


def safe(text: object, limit: int = SAFE_LIMIT) -> str:
    """The text for a place that renders Markdown, so that it shows as it is and fetches nothing.

    Every ASCII punctuation sign is backslash-escaped. Bare addresses become links only after escapes are
    resolved, so a word joiner, which has no width, breaks those up.
    """
    line = _LINK_STARTS.sub(rf"\1{_WORD_JOINER}", clip(_SPACE.sub(" ", str(text)).strip(), limit))
    return line.translate(_ESCAPED)


def sentence(pieces: Sequence[str]) -> str:
    """A finding as Markdown: our words and foreign text in turn, the latter made safe and bold."""
    return "".join(piece if index % 2 == 0 else f"**{safe(piece, 60)}**" for index, piece in enumerate(pieces))


def plot_text(text: object, limit: int = PLOT_LIMIT) -> str:
    """The text for a plotly figure, which reads some HTML: cut first, escaped last."""
    return html.escape(clip(_SPACE.sub(" ", str(text)).strip(), limit), quote=False)


def clip(text: str, limit: int) -> str:
    """The text, cut to `limit` characters with an ellipsis as the last one."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
