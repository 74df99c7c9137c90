"""What outside judges said of a run: a table whose rows lead to what was judged."""

from typing import Final

from dashboard import store, words
from dashboard.components.link_table import Column, link_table
from dashboard.components.one_run import Run, of_steps
from dashboard.components.text import clip

MARKS: Final = {"pass": "✓ pass", "fail": "✗ fail"}
EXPLANATION_CHARS: Final = 400

COLUMNS: Final[list[Column]] = [
    {"name": "verdict", "label": "Verdict", "look": "strong", "width": "88px", "blank": "says neither"},
    {"name": "name", "label": "Of"},
    {"name": "on", "label": "On"},
    {"name": "label", "label": "Label", "width": "120px", "blank": ""},
    {"name": "score", "label": "Score", "width": "72px", "align": "right", "blank": ""},
    {"name": "by", "label": "By", "width": "120px"},
    {
        "name": "decides",
        "label": "Decides",
        "width": "76px",
        "help": "The run's verdict is made of the last words on the run as a whole, not of those on steps",
    },
]


def show_verdicts(run: Run) -> None:
    """Shows the judgements of a run, those that decide its verdict first; nothing where nobody judged."""
    found = store.ask("run_verdicts", **of_steps(run)).to_pylist()
    if not found:
        return
    rows = [
        {
            "page": "run",
            "params": {"run": run["run_id"]} | ({"span": row["span_id"]} if row["span_id"] else {}),
            "title": "show what was judged",
            "verdict": MARKS.get(row["verdict"]),
            "name": clip(row["name"], 80),
            "on": clip(row["about"], 60) if row["about"] else "a span" if row["span_id"] else "the run",
            "label": clip(row["label"], 40) if row["label"] else None,
            "score": None if row["score"] is None else f"{row['score']:g}",
            "by": clip(row["source"], 40),
            "decides": "yes" if row["decides"] else "no",
            "below": clip(row["explanation"] or "", EXPLANATION_CHARS),
        }
        for row in found
    ]
    link_table(rows, COLUMNS, key="run_verdicts", label=f"{words.plural(len(rows), 'judgement')} of this run")
