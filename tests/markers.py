"""Texts in documents that a program writes: what stands between `<!-- name -->` and `<!-- /name -->`."""

import re
from pathlib import Path


def between(document: Path, name: str) -> str:
    """What stands between the markers now, without the newlines around it."""
    match = _pattern(name).search(document.read_text("utf-8"))
    assert match, f"{document} lacks the markers <!-- {name} --> and <!-- /{name} -->"
    return match["text"].strip("\n")


def replace_between(document: Path, name: str, text: str) -> None:
    """Writes a text between the markers."""
    between(document, name)
    whole = f"<!-- {name} -->\n{text.strip()}\n<!-- /{name} -->"
    document.write_text(_pattern(name).sub(lambda _: whole, document.read_text("utf-8")), "utf-8")


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"<!-- {re.escape(name)} -->(?P<text>.*?)<!-- /{re.escape(name)} -->", re.DOTALL)
