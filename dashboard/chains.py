"""The chain of a workflow from the store's roll-ups, for whoever can ask: pages, reports, checks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from dashboard.analytics.reliability import Chain, chain_of

Row = Mapping[str, Any]

Ask = Callable[..., pa.Table]
"""Answers `queries/<question>.sql`: `ask(question, **params)`."""

Asked = tuple[str, Mapping[str, Any]]
"""A question and its params."""

KINDS: Final = ("nodes", "edges", "runs")
"""The rows that make a chain."""


def chain(ask: Ask, scope: str = "", **filters: Any) -> Chain:
    """The chain of one workflow, or of one step of it that was opened.

    Args:
        scope: '' for the chain a user drew; else the names of the steps that were opened (`queries/chain_scopes.sql`).
        filters: since_ns, until_ns, workflow, version, environment.
    """
    nodes, edges, *runs = (ask(question, **params).to_pylist() for question, params in asked(scope, **filters))
    return chain_of(nodes, edges, runs[0][0] if runs else None)


def asked(scope: str = "", **filters: Any) -> list[Asked]:
    """What `chain` asks, given the same, for whoever can ask side by side."""
    below = {"scope": scope, **filters}
    of_runs: list[Asked] = [("chain_runs", filters)] if scope == "" else []
    return [("chain_nodes", below), ("chain_edges", below), *of_runs]


def chains(ask: Ask, **filters: Any) -> dict[str, Chain]:
    """The chain of every workflow, the busiest first.

    Args:
        filters: since_ns, until_ns, workflow, version, environment.
    """
    nodes, edges = (_by(ask(f"workflow_{kind}", **filters), "workflow") for kind in ("nodes", "edges"))
    return {
        row["workflow"]: chain_of(nodes[row["workflow"],], edges[row["workflow"],], row)
        for row in ask("workflow_runs", **filters).to_pylist()
    }


class Course(NamedTuple):
    """A workflow's chain in a window, and in each stretch of it by the start of the stretch."""

    whole: Chain
    stretches: Mapping[int, Chain]


def over_time(ask: Ask, step_ns: int, **filters: Any) -> dict[str, Course]:
    """The chain of every workflow over time, the busiest first.

    Args:
        step_ns: length of a stretch, in whole 5 minutes; stretches begin at its multiples.
        filters: since_ns, until_ns, workflow, version, environment.
    """
    tables = [ask(f"workflow_{kind}_over_time", step_ns=step_ns, **filters) for kind in KINDS]
    nodes, edges, ends = (_by(table, "workflow", "bucket_ns") for table in tables)
    all_nodes, all_edges, all_ends = (_by(_whole(table), "workflow") for table in tables)
    courses: dict[str, Course] = {}
    for (workflow,), (outcomes,) in sorted(all_ends.items(), key=_busiest_first):
        of = (workflow,)
        stretches = {
            key[1]: chain_of(nodes[key], edges[key], row) for key, (row,) in ends.items() if key[0] == workflow
        }
        courses[workflow] = Course(chain_of(all_nodes[of], all_edges[of], outcomes), stretches)
    return courses


def _whole(stretches: pa.Table) -> pa.Table:
    """The rows of all stretches summed up: what is no count tells them apart."""
    counts = [name for name in stretches.column_names if pa.types.is_integer(stretches.field(name).type)]
    counts.remove("bucket_ns")
    keys = [name for name in stretches.column_names if name not in {"bucket_ns", *counts}]
    summed = stretches.group_by(keys).aggregate([(name, "sum") for name in counts])
    return summed.select([*keys, *(f"{name}_sum" for name in counts)]).rename_columns([*keys, *counts])


def _busiest_first(item: tuple[tuple[Any, ...], list[Row]]) -> tuple[int, str]:
    (workflow, *_), (outcomes, *_) = item
    return -(outcomes["finished"] + outcomes["pending"]), workflow


def _by(table: pa.Table, *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    """The rows under the values of some columns; none under what is not there."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in table.to_pylist():
        found[tuple(row[column] for column in columns)].append(row)
    return found


def opened(scopes: Iterable[Mapping[str, Any]], scope: str) -> list[str]:
    """Of all chains that were seen, those directly below one: the steps that can be opened from there."""
    depth = scope.count(JOINT) + 1 if scope else 0
    below = [row["scope"] for row in scopes if row["scope"]]
    return [name for name in below if name.count(JOINT) == depth and name.startswith(scope and scope + JOINT)]


JOINT = " › "
"""Between the names of steps that were opened one inside the other."""
