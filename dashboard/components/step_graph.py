"""The chain drawn as a graph: reliability on nodes, shares on edges, width by visits, loops below."""

from collections.abc import Mapping
from typing import Any

from dashboard.analytics.reliability import Chain, Estimate, NodeFigures, Transition
from dashboard.analytics.step_graph import layout
from dashboard.chains import JOINT
from dashboard.components.assets import component
from dashboard.components.estimates import KNOWN, LOST, in_short

mount = component("step_graph", '<div class="seam step-graph"></div>')


def step_graph(
    chain: Chain,
    figures: Mapping[str, NodeFigures],
    delivers: Estimate,
    *,
    key: str,
    opens: Mapping[str, Any],
    inside: str = "",
) -> int:
    """Shows the graph. -> How many rare transitions it leaves out.

    A node leads to the runs that were lost there, an edge to those that came by where it begins.

    Args:
        figures: of each node, by name.
        delivers: what stands at END.
        opens: the runs that are counted, as parameters of the Runs page.
        inside: the depth-1 step that was opened; empty where it is the whole chain.
    """
    drawn = layout(chain)
    steps = {node.name: node.members[0].step for node in chain.nodes}

    def way(edge: Transition) -> dict[str, Any]:
        known = {**opens, "state": LOST if edge.exit == "outside" else KNOWN}
        if edge.source is None:
            return known
        return {**known, "called": "step:" + JOINT.join(filter(None, (inside, steps[edge.source])))}

    nodes = []
    for node in chain.nodes:
        place, figure = drawn.places[node.name], figures[node.name]
        nodes.append(
            {
                "name": node.name,
                "column": place.column,
                "row": place.row,
                "reliability": node.reliability,
                "said": f"{100 * node.reliability:.1f} %",
                "visits": figure.visits,
                "kind": node.kind,
                "params": {**opens, "state": LOST, "step": [member.step for member in node.members]},
                "title": f"{node.name}: {node.operations:,} operations, {figure.visits:.2f} visits a run, "
                f"{100 * node.first_try:.1f} % good at first try",
            }
        )
    visits = {name: figure.visits * figure.node.reliability for name, figure in figures.items()}
    data = {
        "nodes": nodes,
        "edges": [_edge(edge, visits) | {"params": way(edge)} for edge in (*drawn.forward, *drawn.back)],
        "columns": drawn.columns,
        "rows": drawn.rows,
        "runs": f"{chain.runs:,}",
        "end": in_short(delivers),
    }
    mount(key=key, data=data)
    return drawn.left_out


def _edge(edge: Transition, visits: Mapping[str, float]) -> dict[str, Any]:
    return {
        "from": edge.source,
        "to": edge.target,
        "exit": edge.exit,
        "share": edge.share,
        "flow": edge.share * (visits[edge.source] if edge.source is not None else 1.0),
        "title": f"{edge.count:,} times, {100 * edge.share:.1f} % of what followed",
    }
