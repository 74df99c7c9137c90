"""Rules for errors that no rule knows, ready to be pasted into seamscope.toml."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]

WHERE: Final = {
    "llm": "llm",
    "tool": "tool",
    "retrieval": "tool",
    "agent": "agent",
    "chain": "node",
    "workflow": "node",
}
GUESS: Final = {"llm": ("component", "component"), "tool": ("tool", "component")}
"""Layers to start from; the person who pastes knows better."""
SAYS_CHARS: Final = 60
NAME_CHARS: Final = 40


def rules_for(rows: Sequence[Row]) -> str:
    """One code and one rule a row, as TOML that is valid as it stands.

    Args:
        rows: rows of `queries/failure_backlog.sql`.
    """
    blocks: list[str] = []
    codes: set[str] = set()
    for row in rows:
        matcher = _matcher(row)
        if matcher is None:
            continue
        where = WHERE.get(row["kind"] or "", "any")
        code = _code(row, codes)
        codes.add(code)
        layer_a, layer_b = GUESS.get(where, ("component", "component"))
        blocks.append(
            f"[rules.codes.{_toml(code)}]\n"
            f"layer_a = {_toml(layer_a)}  # state, control, error, tool, component\n"
            f"layer_b = {_toml(layer_b)}  # handoff, state, routing, recovery, component\n"
            'meaning = ""\nremedy = ""\n\n'
            f"[[rules.match]]\ncode = {_toml(code)}\nwhere = {_toml(where)}\n{matcher}\n"
        )
    return "\n".join(blocks)


def _matcher(row: Row) -> str | None:
    """By class where there is one, else by how the message begins; None where the span says nothing at all."""
    if row["error_type"]:
        return f"exception = {_toml(row['error_type'])}"
    said = (row["evidence"] or "").strip()
    if not said or said == "status ERROR":
        return None
    return f"says = {_toml(re.escape(said.splitlines()[0][:SAYS_CHARS]))}"


def _code(row: Row, taken: set[str]) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", row["error_type"] or "unnamed").lower()
    name = re.sub(r"[^a-z0-9]+", "_", spaced).strip("_")[:NAME_CHARS]
    code = "mine." + (name if name[:1].isalpha() else f"error_{name}".rstrip("_"))
    free = code
    number = 2
    while free in taken:
        free, number = f"{code}_{number}", number + 1
    return free


def _toml(text: str) -> str:
    """A TOML basic string. JSON's escapes are TOML's; it leaves only DEL as it is."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")
