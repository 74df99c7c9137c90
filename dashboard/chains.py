"""The chain of a workflow from the store's roll-ups, for whoever can ask: pages, reports, checks."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa

from dashboard.analytics.reliability import Chain, chain_of

Ask = Callable[..., pa.Table]
"""Answers `queries/<question>.sql`: `ask(question, **params)`."""


def chain(ask: Ask, scope: str = "", **filters: Any) -> Chain:
    """The chain of one workflow, or of one step of it that was opened.

    Args:
        scope: '' for the chain a user drew; else the names of the steps that were opened (`queries/chain_scopes.sql`).
        filters: since_ns, until_ns, workflow, version, environment.
    """
    nodes = ask("chain_nodes", scope=scope, **filters).to_pylist()
    edges = ask("chain_edges", scope=scope, **filters).to_pylist()
    runs = ask("chain_runs", **filters).to_pylist()[0] if scope == "" else None
    return chain_of(nodes, edges, runs)


def chains(ask: Ask, **filters: Any) -> dict[str, Chain]:
    """The chain of every workflow, the busiest first.

    Args:
        filters: since_ns, until_ns, workflow, version, environment.
    """
    nodes, edges = (_by_workflow(ask(f"workflow_{kind}", **filters)) for kind in ("nodes", "edges"))
    return {
        row["workflow"]: chain_of(nodes[row["workflow"]], edges[row["workflow"]], row)
        for row in ask("workflow_runs", **filters).to_pylist()
    }


def over_time(ask: Ask, step_ns: int, **filters: Any) -> dict[str, dict[int, Chain]]:
    """The chain of every workflow in each stretch of a window, by the start of the stretch.

    Args:
        step_ns: length of a stretch, in whole 5 minutes; stretches begin at its multiples.
        filters: since_ns, until_ns, workflow, version, environment.
    """
    rows: dict[str, dict[tuple[str, int], list[dict[str, Any]]]] = {}
    for kind in ("nodes", "edges", "runs"):
        found = rows.setdefault(kind, defaultdict(list))
        for row in ask(f"workflow_{kind}_over_time", step_ns=step_ns, **filters).to_pylist():
            found[row["workflow"], row["bucket_ns"]].append(row)
    chains: dict[str, dict[int, Chain]] = defaultdict(dict)
    for (workflow, at_ns), (runs, *_) in rows["runs"].items():
        key = (workflow, at_ns)
        chains[workflow][at_ns] = chain_of(rows["nodes"][key], rows["edges"][key], runs)
    return chains


def _by_workflow(rows: pa.Table) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.to_pylist():
        found[row["workflow"]].append(row)
    return found


def opened(scopes: Iterable[Mapping[str, Any]], scope: str) -> list[str]:
    """Of all chains that were seen, those directly below one: the steps that can be opened from there."""
    depth = scope.count(JOINT) + 1 if scope else 0
    below = [row["scope"] for row in scopes if row["scope"]]
    return [name for name in below if name.count(JOINT) == depth and name.startswith(scope and scope + JOINT)]


JOINT = " › "
"""Between the names of steps that were opened one inside the other."""
