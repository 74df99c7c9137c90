"""The questions in `queries/`, and asking them of a reader. No Streamlit: the command line asks, too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pyarrow as pa

from dashboard.reader import Reader

Row = Mapping[str, Any]


@cache
def sql(question: str) -> str:
    """The text of `queries/<question>.sql`."""
    return (files("dashboard") / "queries" / f"{question}.sql").read_text("utf-8")


@cache
def parameters(question: str) -> frozenset[str]:
    """The names that a question binds."""
    return frozenset(re.findall(r"\$(\w+)", re.sub("--.*", "", sql(question))))


EVERYTHING: Final = "all"
"""As an environment: those in development, too."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks about one environment of a store: '' for all but those in development, 'all' for all of them."""

    reader: Reader
    environment: str = ""

    def table(self, question: str, **params: object) -> pa.Table:
        """The answer to a question that is given all it binds (see `chains.Ask`)."""
        return self.reader.query(sql(question), params)

    def scope(self, workflow: str) -> dict[str, str]:
        """What most questions bind beside the window: a workflow in all its versions."""
        return {"workflow": workflow, "version": "", "environment": self.environment}

    def ask(self, question: str, since_ns: int = 0, until_ns: int = 0, workflow: str = "", **more: object) -> list[Row]:
        """The rows of an answer.

        Args:
            more: beyond the window and the workflow, what the question binds; depth 1 and all versions by default.
        """
        given: dict[str, object] = {
            "since_ns": since_ns,
            "until_ns": until_ns,
            "workflow": workflow,
            "environment": self.environment,
            "version": "",
            "scope": "",
            **more,
        }
        bound = {name: given[name] for name in parameters(question)}
        rows: list[Row] = self.table(question, **bound).to_pylist()
        return rows


def counting(reader: Reader, environment: str = "") -> Questions:
    """Asks about the environment that is named; where none is, about what was delivered, and about runs in development
    only where there is nothing else, as in CI."""
    asked = Questions(reader, environment)
    if environment:
        return asked
    (there,) = asked.ask("environment_default")
    return asked if there["delivered"] else Questions(reader, EVERYTHING)
