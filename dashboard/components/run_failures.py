"""The Failures view of the Run page."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from dashboard import store
from dashboard.components import filters
from dashboard.components.badges import layer_mark
from dashboard.components.link_table import Column, link_table
from dashboard.components.one_run import of_steps, received
from dashboard.components.text import clip
from dashboard.looks import layer_of

EVIDENCE_CHARS: Final = 400  # the span itself shows the rest

FAILURE_COLUMNS: list[Column] = [
    {"name": "step", "label": "Step", "look": "strong"},
    {"name": "layer", "label": "Layer", "look": "layer", "width": "124px"},
    {"name": "code", "label": "Code", "width": "186px"},
    {"name": "certainty", "label": "Certainty", "width": "88px", "optional": 2},
    {
        "name": "role",
        "label": "Role",
        "width": "98px",
        "optional": 3,
        "help": "A root occurrence explains, a propagated one points at it, collateral was cut off beside it",
    },
    {"name": "fate", "label": "What became of it", "width": "124px", "optional": 3},
    {"name": "trigger", "label": "Trigger and contributing", "width": "16%", "optional": 1, "blank": ""},
    {"name": "rule", "label": "Rule", "width": "15%", "optional": 1, "help": "The rule that named it, and its version"},
]


def run_failures(run: Mapping[str, Any]) -> None:
    """Every span that failed or answered with an error; each leads to its span."""
    failures = store.ask_steady("run_failures", **of_steps(run), **received(run)).to_pylist()
    if not failures:
        st.caption("No failure was seen in this run. That is no proof that its answer is right.")
        return
    lens = filters.current().lens
    rows = []
    for failure in failures:
        layer = layer_of(failure, lens)
        fate = "recovered" if failure["recovered"] else "silent" if failure["silent"] else "not recovered"
        more = [failure["trigger"] and f"set off by {failure['trigger']}", *(failure["contributing"] or ())]
        said = [failure["evidence"], failure["error_type"], failure["error_message"], failure["in_band_error"]]
        said = [
            text for at, text in enumerate(said) if text and not any(text in (before or "") for before in said[:at])
        ]
        rows.append(
            {
                "page": "run",
                "params": {"run": run["run_id"], "span": failure["span_id"]},
                "title": "show its span",
                "step": [
                    clip(failure["name"] or failure["kind"], 60)
                    + (f", try {failure['attempt']}" if (failure["attempt"] or 1) > 1 else ""),
                    clip(failure["chain_step"], 40) if failure["chain_step"] not in (None, failure["name"]) else "",
                ],
                "layer": layer_mark(layer) if layer and failure["role"] == "root" else None,
                "code": failure["code"] if failure["role"] == "root" or failure["rule_id"] else None,
                "certainty": failure["certainty"] if failure["role"] == "root" else None,
                "role": failure["role"],
                "fate": fate if failure["role"] == "root" else None,
                "trigger": ", ".join(part for part in more if part),
                "rule": f"{failure['rule_id']} v{failure['rule_version']}" if failure["rule_id"] else None,
                "below": clip(" · ".join(said), EVIDENCE_CHARS),
            }
        )
    link_table(rows, FAILURE_COLUMNS, key="run_failures", label="Failures of this run, root occurrences first")
