"""The diagnosis of a run as a paragraph; each sentence leads to its span."""

from typing import Any

from dashboard.analytics.diagnosis import Diagnosis, Sentence
from dashboard.components.assets import component
from dashboard.components.badges import layer_mark

_mount = component("diagnosis", '<div class="seam diagnosis"></div>')


def show_diagnosis(diagnosis: Diagnosis, run_id: str) -> None:
    """Shows what there is to say; nothing where there is nothing."""
    if not diagnosis.sentences and not diagnosis.others:
        return
    data = {
        "run": run_id,
        "sentences": [_sentence(each) for each in diagnosis.sentences],
        "others": [_sentence(each) for each in diagnosis.others],
        "rule": diagnosis.rule,
    }
    _mount(key="diagnosis", data=data)


def _sentence(sentence: Sentence) -> dict[str, Any]:
    parts = [
        [part, None, None]
        if isinstance(part, str)
        else [part.text, part.style, layer_mark(part.text) if part.style == "layer" else None]
        for part in sentence.parts
    ]
    return {"span": sentence.span_id, "parts": parts}
