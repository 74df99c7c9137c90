"""The span inspector: everything one span holds, as text that stays text."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import streamlit as st

from dashboard import store, words
from dashboard.analytics.conversation import Message, Part, Side, conversation
from dashboard.components.conversation import show_conversation
from dashboard.components.one_run import received
from dashboard.components.text import clip, safe

SHOWN_CHARS: Final = 20_000  # of one value; a prompt of a megabyte would hang the browser
TABS: Final = ("Messages", "Input", "Output", "Attributes", "Events", "Links", "Raw")
JSON_COLUMNS: Final = (
    "attributes",
    "events",
    "links",
    "evaluations",
    "scope_attributes",
    "resource_attributes",
    "resource_entity_refs",
)

Span = Mapping[str, Any]


def inspector(trace_id: str | None, span_id: str, run: Span) -> None:
    """Shows one span of a run; `trace_id` is None where only its own id is known."""
    traces = (trace_id,) if trace_id else tuple(run["trace_ids"])
    found = store.ask_steady("span_by_id", trace_ids=traces, span_id=span_id, **received(run)).to_pylist()
    if not found:
        st.caption("This span is not stored: it may not have arrived yet, or retention removed it.")
        return
    span = {name: json.loads(value) if name in JSON_COLUMNS and value else value for name, value in found[0].items()}
    _head(span)
    tabs = dict(zip(TABS, st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params"), strict=True))
    for name, tab in tabs.items():
        if tab.open:
            with tab:
                _body(name, span)


def recorded(span: Span, key: str | None) -> Any:
    """What a span recorded under its input or output key: an attribute, all attributes of a prefix, or an event's."""
    if key is None:
        return None
    if key.startswith("event:"):
        return [
            event["attributes"] for event in span["events"] or () if event["name"] == key.removeprefix("event:")
        ] or None
    if key.endswith("."):
        return {name: value for name, value in span["attributes"].items() if name.startswith(key)} or None
    return span["attributes"].get(key)


def _head(span: Span) -> None:
    took = span["end_ns"] - span["start_ns"] if span["end_ns"] > span["start_ns"] else None
    st.markdown(f"**{safe(span['name'])}**")
    tokens = (span["tokens_input"], span["tokens_output"])
    facts = [
        span["step_kind"],
        words.duration(took),
        f"status {span['status']}",
        span["model"],
        span["tool"] and f"tool {span['tool']}",
        f"{words.count(tokens[0])} → {words.count(tokens[1])} tokens" if tokens != (None, None) else None,
        words.money(span["cost_usd"]) if span["cost_usd"] is not None else None,
        span["finish_reason"] and f"finished: {span['finish_reason']}",
        span["service"],
        span["dialect"],
        f"{words.count(span['resend_count'])} HTTP resends" if span["resend_count"] else None,
        "cut to the size limit" if span["truncated"] else None,
    ]
    st.caption(" · ".join(safe(fact, 80) for fact in facts if fact))
    if span["failed"] or span["status"] == "error":
        _text(
            "\n".join(part for part in (span["error_type"], span["error_message"] or span["status_message"]) if part)
            or "status ERROR"
        )
    elif span["in_band_error"]:
        st.caption(":material/contrast: status says fine, the output says:")
        _text(span["in_band_error"])


def _body(tab: str, span: Span) -> None:
    match tab:
        case "Messages":
            _messages(span)
        case "Input":
            _value(recorded(span, span["input_key"]), "The span recorded no input.", "input")
        case "Output":
            _value(recorded(span, span["output_key"]), "The span recorded no output.", "output")
        case "Attributes":
            _value(span["attributes"] or None, "The span has no attributes.", "attributes")
            if span["dropped_attributes_count"]:
                st.caption(f"{span['dropped_attributes_count']:,} more were dropped.")
        case "Events":
            _events(span)
        case "Links":
            _value(span["links"] or None, "The span links to none.", "links")
        case "Raw":
            _value(span, "", "raw")


def _messages(span: Span) -> None:
    """What was said; what went in or came out and is no message stands in its place."""
    said = conversation(span["attributes"], span["events"] or ())
    sides = {message.side for message in said}
    if "input" not in sides:
        said = [*_as_recorded(span, "input"), *said]
    if "output" not in sides:
        said = [*said, *_as_recorded(span, "output")]
    if said:
        show_conversation(said, "conversation")
    else:
        st.caption("The span recorded neither messages nor an input or output.")


def _as_recorded(span: Span, side: Side) -> list[Message]:
    value = recorded(span, span[f"{side}_key"])
    if value is None:
        return []
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    part = Part("other", text, "as recorded") if text[:1] in ("{", "[") else Part("text", text)
    return [Message(side, (part,), side)]


def _events(span: Span) -> None:
    if not span["events"]:
        st.caption("The span has no events.")
    _said_beside(span)
    for number, event in enumerate(span["events"] or ()):
        st.text(f"{event['name']}  +{words.duration(max(0, event['time_ns'] - span['start_ns']))}")
        attributes = dict(event["attributes"])
        trace_back = attributes.pop("exception.stacktrace", None)
        _value(attributes or None, "no attributes", f"event{number}")
        if trace_back:
            _text(str(trace_back))


def _said_beside(span: Span) -> None:
    """What log records and posts said of the span: it counts like its own events."""
    found = store.ask("span_evidence", trace_id=span["trace_id"], span_id=span["span_id"]).to_pylist()
    for number, row in enumerate(found):
        st.text(f"{row['name'] or 'log record'}  +{words.duration(max(0, row['time_ns'] - span['start_ns']))}")
        st.caption("sent as a log record" if row["source"] == "log" else "posted to /api/verdict")
        _value(row["attributes"], "no attributes", f"beside{number}")
        if row["body"] is not None:
            _value(row["body"], "", f"beside_body{number}")


def _value(value: Any, missing: str, name: str) -> None:
    """Shows a value as JSON where it is some, else as text; long ones cut until asked for."""
    if value is None:
        st.caption(missing)
        return
    if isinstance(value, str) and value[:1] in ("{", "["):
        with suppress(ValueError):  # looks like JSON and is none: text then
            value = json.loads(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str, indent=2)
    if len(text) > SHOWN_CHARS and not st.toggle(f"Show all {len(text):,} characters", key=f"inspector_all_{name}"):
        _text(clip(text, SHOWN_CHARS))
    elif isinstance(value, str):
        _text(value)
    elif not st.toggle("As text, to copy", key=f"inspector_text_{name}"):
        st.json(json.loads(text), expanded=2)
    else:
        st.code(text, language="json", wrap_lines=True)


def _text(text: str) -> None:
    st.code(text, language=None, wrap_lines=True)
