"""The way one run took, drawn as the step graph of a workflow is: steps, transitions, loops, what became of each."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.analytics.marks import MARKS
from dashboard.analytics.reliability import Transition
from dashboard.analytics.route import Node, level, route
from dashboard.analytics.step_graph import placed
from dashboard.components.asking import Asking
from dashboard.components.one_run import of_steps, received
from dashboard.components.run_tree import select_span
from dashboard.components.step_graph import mount
from dashboard.components.text import clip

ASKED: Final = Asking("run_graph", {"select": select_span})
MOST: Final = 5_000  # operations
DRAWN: Final = 60  # nodes: more cannot be read


def run_graph(run: Mapping[str, Any], selected: str | None) -> None:
    """Shows the graph; who chooses a step gets the span of its worst visit."""
    ask = store.ask if run["outcome"] == "open" else store.ask_steady
    rows = ask("run_operations", limit=MOST, depth=2, **of_steps(run), **received(run)).to_pylist()
    if not rows:
        st.caption("No steps yet.")
        return
    way = route(level(rows))
    nodes = {node.name: node for node in way.nodes[:DRAWN]}
    edges = [
        Transition(source, target, "end" if target is None else None, count, 1.0)
        for (source, target), count in way.edges.items()
        if all(name is None or name in nodes for name in (source, target))
    ]
    drawn = placed(list(nodes), edges)
    data = {
        "nodes": [
            _node(node) | {"column": drawn.places[node.name].column, "row": drawn.places[node.name].row}
            for node in nodes.values()
        ],
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "exit": edge.exit,
                "share": 1.0,
                "flow": min(1.0, 0.18 * edge.count),
                "label": f"×{edge.count:,}" if edge.count > 1 else "",
                "title": f"taken {words.plural(edge.count, 'time')}",
            }
            for edge in edges
        ],
        "columns": drawn.columns,
        "rows": drawn.rows,
        "runs": "",
        "start": "start",
        "end": "",
        "finish": run["outcome"],
        "selected": selected,
    }
    ASKED.mount(mount, data)
    said = ["A step shows the worst of its visits; ways back are loops."]
    if len(way.nodes) > DRAWN:
        said.append(f"Shows {DRAWN} of {len(way.nodes):,} steps.")
    if rows[0]["operations"] > len(rows):
        said.append(f"Of the first {len(rows):,} of {rows[0]['operations']:,} operations.")
    st.caption(" ".join(said))


def _node(node: Node) -> dict[str, Any]:
    visits = f" · {node.visits:,} visits" if node.visits > 1 else ""
    tries = f" · {node.tries:,} tries" if node.tries > node.visits else ""
    return {
        "name": node.name,
        "kind": node.kind,
        "mark": node.mark,
        "span": node.span_id,
        "said": f"{words.duration(node.duration_ns)}{visits or tries}",
        "title": f"{clip(node.name, 160)}: {MARKS[node.mark]}, {words.duration(node.duration_ns)}{visits}{tries}",
    }
