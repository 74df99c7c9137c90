"""A copied link opens the same view; a bad one says what is wrong with it and works all the same."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.components.parameters import PARAMETERS
from dashboard.components.run_filter import LABELS
from tests.dashboard.pages import PAGES, component, healthy, open_page, warnings, words
from tests.dashboard.test_pages import newest

Shown = Callable[[AppTest], object]


def widget(name: str) -> Shown:
    """What a widget of the page holds."""
    return lambda app: app.session_state[name]


def data(key: str, name: str) -> Shown:
    """What a component of the page was given under a name."""
    return lambda app: component(app, key)[name]


def chips(app: AppTest) -> list[str]:
    """The failures that runs are filtered by, as the chips say."""
    return [button.label for button in app.button if str(button.key).startswith("runs_without_")]


@dataclass(frozen=True)
class Link:
    """A link that sets one parameter, and where the page shows that it does."""

    page: str
    name: str
    value: str | list[str]
    shown: Shown
    expected: object
    beside: dict[str, str] = field(default_factory=dict)
    """More of the link: {failed} and {span} stand for ids of the store."""


def bound(page: str, name: str, value: str | list[str], **beside: str) -> Link:
    """A link whose parameter is a widget's."""
    return Link(page, name, value, widget(name), value, beside)


EXACT = {"from_": "2020-01-01T00:00:00Z", "to": "2020-01-01T01:00:00Z"}
FALLEN = {"workflow": "refunds", "window": "28d"}
OF_LIVELY = [
    *(bound(page, "workflow", "refund_triage") for page in PAGES),
    bound("overview", "version", "2.4.0"),
    bound("failures", "environment", "staging"),
    bound("steps", "window", "7d"),
    bound("failures", "lens", "B"),
    Link("overview", "live", "false", widget("live"), False),
    Link("runs", "from", EXACT["from_"], data("runs_time", "since"), 1577836800000, EXACT),
    Link("runs", "to", EXACT["to"], data("runs_time", "until"), 1577840400000, EXACT),
    Link(
        "steps",
        "scope",
        "tool_call",
        lambda app: "opened: tool\\_call" in words(app),
        expected=True,
        beside={"workflow": "refund_triage", "window": "6h"},
    ),
    bound("failures", "certainty", "inferred"),
    bound("retries", "by", "tool", window="6h"),
    bound("runs", "state", ["failed", "pending"]),
    bound("runs", "text", "ledger"),
    Link("runs", "code", "tool.timeout", chips, ["code **tool\\.timeout**"]),
    Link("runs", "layer", "tool", chips, ["layer **tool**"]),
    Link("runs", "lost", "tool", chips, ["lost to layer **tool**"]),
    Link("runs", "step", ["tool_call", ""], chips, ["failed at **tool\\_call or no step**"]),
    Link("runs", "known", "observed", chips, ["certainty **observed**"]),
    Link("runs", "error", "TimeoutError", chips, ["error class **TimeoutError**"]),
    Link("runs", "fate", "silent", chips, ["what became of it **silent**"]),
    Link("runs", "called", "tool:ledger.query", chips, ["called **tool ledger\\.query**"]),
    Link("runs", "tried", "2", chips, ["tries, at least **2**"]),
    Link("runs", "service", "billing-agents", chips, ["service **billing\\-agents**"]),
    Link("runs", "instrumentation", "", chips, ["instrumentation scope **not told**"]),
    bound("run", "view", "Failures", run="{failed}"),
    Link("run", "spans", "true", widget("spans"), True, {"run": "{failed}"}),
    Link("run", "critical", "true", widget("critical"), True, {"run": "{failed}"}),
    bound("run", "tab", "Output", run="{failed}"),
    bound("run", "find", "ledger", run="{failed}"),
    bound("run", "against", "f" * 32, run="{failed}", view="Compare"),
    bound("connect", "framework", "n8n"),
]
OF_FALLEN = [
    Link(
        "drift",
        "series",
        "p95:answer",
        lambda app: [
            row["params"]["series"] for row in component(app, "drift_series")["rows"] if "▸" in row["name"][0]
        ],
        ["p95:answer"],
        FALLEN,
    ),
]
BY_HAND = {"run", "span", "page", "open", "tries", "zoom", "change", "week"}
"""Parameters whose values only the store can tell: each has a test of its own."""


def opened(store: Path, link: Link) -> AppTest:
    """The page as the link opens it."""
    beside = {name: value.format(failed=newest(store, "failed")) for name, value in link.beside.items()}
    return open_page(link.page, **{**beside, link.name: link.value})


def same(given: object, told: object) -> bool:
    """Whether a parameter of the URL is what the link gave: one value may stand alone or in a list."""
    return ([given] if isinstance(given, str) else given) == ([told] if isinstance(told, str) else told)


def check(store: Path, link: Link) -> None:
    app = opened(store, link)
    assert healthy(app)
    assert not [each for each in warnings(app) if link.name != "error" or "No run has" not in each]  # none has, here
    assert link.shown(app) == link.expected
    assert same(link.value, app.query_params[link.name])


@pytest.mark.parametrize("link", OF_LIVELY, ids=lambda link: f"{link.page}-{link.name}")
def test_a_link_shows_what_it_says_and_stays_in_the_url(lively: Path, link: Link) -> None:
    """Each parameter reaches the page, and the URL that a reader would copy has it still."""
    check(lively, link)


@pytest.mark.parametrize("link", OF_FALLEN, ids=lambda link: f"{link.page}-{link.name}")
def test_a_link_into_drift_shows_what_it_says(fallen: Path, link: Link) -> None:
    """The same where there are days to look back on."""
    check(fallen, link)


def test_a_link_to_a_change_point_explains_that_one(fallen: Path) -> None:
    """The parameter that ▼ sets chooses it, and stays."""
    day = component(open_page("drift", **FALLEN), "drift_days")["turns"][0]["params"]["change"]
    app = open_page("drift", **FALLEN, change=day)
    assert healthy(app)
    assert not warnings(app)
    assert [turn["params"]["change"] for turn in component(app, "drift_days")["turns"] if turn["chosen"]] == [day]
    assert same(day, app.query_params["change"])


def test_a_link_to_a_run_and_a_span_shows_both(lively: Path) -> None:
    """The inspector opens on the span that the link names."""
    run_id = newest(lively, "failed")
    last = component(open_page("run", run=run_id), "waterfall")["rows"][0]["id"]
    app = open_page("run", run=run_id, span=last)
    assert component(app, "waterfall")["selected"] == last
    assert same(run_id, app.query_params["run"])
    assert same(last, app.query_params["span"])


def test_a_link_to_a_page_of_runs_shows_that_page(lively: Path) -> None:
    """Older than a run: the list goes on right below it."""
    ids = [row["id"] for row in component(open_page("runs", window="6h"), "runs_list")["rows"]]
    starts = {row["id"]: row["started"] for row in component(open_page("runs", window="6h"), "runs_list")["rows"]}
    at = ids[9]
    app = open_page("runs", window="6h", page=f"older.{(starts[at] + 1) * 1_000_000}.{'f' * 32}")
    assert not warnings(app)
    assert [row["id"] for row in component(app, "runs_list")["rows"]][:40] == ids[9:49]


def test_the_inventory_holds_every_parameter_that_the_pages_read() -> None:
    """What widgets bind to the URL and what pages ask it for stands in PARAMETERS, which docs/links.md is made from."""
    read = {name for path in sorted(Path(dashboard.__file__).parent.rglob("*.py")) for name in parameters_of(path)}
    assert read | set(LABELS) == {one.name for one in PARAMETERS}


def test_no_page_reads_by_hand_what_is_a_widget_of_another() -> None:
    """Leaving a page, Streamlit takes its widgets out of the URL: a filter of such a name would go with them."""
    pages: dict[str, set[str]] = {}
    for one in PARAMETERS:
        pages.setdefault(one.name, set()).add(one.page)
    assert {name: each for name, each in pages.items() if len(each) > 1} == {}


def test_every_parameter_has_a_link_that_is_tested() -> None:
    """No parameter of the inventory goes without a round trip."""
    tested = {(link.page, link.name) for link in (*OF_LIVELY, *OF_FALLEN)}
    for one in PARAMETERS:
        assert one.name in BY_HAND or any(one.name == name and one.page in ("", page) for page, name in tested), one


def parameters_of(path: Path) -> set[str]:
    """The names of the URL that a module reads, writes or binds a widget to."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            words_of = {keyword.arg: keyword.value for keyword in node.keywords}
            if _is(words_of.get("bind"), "query-params"):
                found |= _names(words_of.get("key"))
            if isinstance(node.func, ast.Attribute) and _query_params(node.func.value):
                found |= _names(node.args[0] if node.args else None)
        elif isinstance(node, ast.Subscript) and _query_params(node.value):
            found |= _names(node.slice)
        elif isinstance(node, ast.Compare) and any(_query_params(each) for each in node.comparators):
            found |= _names(node.left)
    return found


def _query_params(node: Any) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "query_params"


def _is(node: Any, value: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _names(node: Any) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


@pytest.mark.parametrize(
    ("page", "params", "complaint"),
    [
        ("overview", {"workflow": "gone"}, "workflow “gone”"),
        ("overview", {"version": "0.0"}, "version “0"),
        ("overview", {"environment": "moon"}, "environment “moon”"),
        ("steps", {"window": "5y"}, "5y"),
        ("overview", {"live": "perhaps"}, "perhaps"),
        ("failures", {"lens": "C"}, "lens is “C”"),
        ("overview", {"from_": "yesterday", "to": "today"}, "not two moments"),
        ("overview", {"from_": "2026-01-02", "to": "2026-01-01"}, "not two moments"),
        ("runs", {"from_": "2026-01-02"}, "not two moments"),
        ("steps", {"workflow": "refund_triage", "scope": "nowhere", "window": "6h"}, "nowhere"),
        ("steps", {"scope": "tool_call", "window": "6h"}, "the step “tool_call”, but no workflow"),
        ("failures", {"certainty": "guessed"}, "guessed"),
        ("retries", {"by": "mood"}, "mood"),
        ("drift", {"workflow": "refund_triage", "series": "mood"}, "mood"),
        ("drift", {"workflow": "refund_triage", "change": "someday"}, "someday"),
        ("runs", {"state": "exploded"}, "exploded"),
        ("runs", {"text": "a" * 101}, "up to 100"),
        ("runs", {"code": "not a code"}, "not a code"),
        ("runs", {"code": "no.such"}, "No rule gives the code “no.such”"),
        ("runs", {"layer": "routing", "lens": "A"}, "lens A has state"),
        ("runs", {"lost": "luggage"}, "luggage"),
        ("runs", {"step": "s" * 501}, "too long"),
        ("runs", {"step": "nowhere"}, "No run has a step “nowhere”"),
        ("runs", {"error": "NoSuchError"}, "No run has an error of class “NoSuchError”"),
        ("runs", {"called": "tool:hammer"}, "No run has a tool “hammer”"),
        ("runs", {"called": "operation:nap"}, "No run has an operation “nap”"),
        ("runs", {"service": "selfservice"}, "No run has a service “selfservice”"),
        ("runs", {"instrumentation": "flute"}, "No run has spans of the instrumentation scope “flute”"),
        ("steps", {"workflow": "refund_triage", "step": "nowhere"}, "step “nowhere” is for the page Runs"),
        ("runs", {"known": "guessed"}, "guessed"),
        ("runs", {"error": "e" * 501}, "too long"),
        ("runs", {"fate": "gone"}, "gone"),
        ("runs", {"called": "mood:search"}, "mood:search"),
        ("runs", {"tried": "often"}, "often"),
        ("runs", {"service": "s" * 501}, "too long"),
        ("runs", {"instrumentation": "i" * 501}, "too long"),
        ("runs", {"page": "last"}, "last"),
        ("run", {"run": "' or 1=1 --"}, "no run id"),
        ("run", {"run": "0" * 32, "span": "zz"}, "no span id"),
        ("run", {"run": "{failed}", "view": "Sideways"}, "Sideways"),
        ("run", {"run": "{failed}", "spans": "some"}, "some"),
        ("run", {"run": "{failed}", "critical": "very"}, "very"),
        ("run", {"run": "{failed}", "tab": "Underside"}, "Underside"),
        ("run", {"run": "{failed}", "open": "sesame"}, "sesame"),
        ("run", {"run": "{failed}", "tries": "many"}, "many"),
        ("run", {"run": "{failed}", "find": "a" * 201}, "up to 200"),
        ("reports", {"week": "2031-W99"}, "2031"),
        ("connect", {"framework": "COBOL"}, "COBOL"),
    ],
)
def test_bad_value_is_named_and_the_page_works(lively: Path, page: str, params: dict[str, str], complaint: str) -> None:
    """The message says which value, and the page shows its default."""
    app = open_page(page, **{name: value.format(failed=newest(lively, "failed")) for name, value in params.items()})
    assert healthy(app)
    said = [warning.value.replace("\\", "") for warning in app.warning]
    assert len([text for text in said if complaint in text]) == 1, said


def test_a_step_that_others_hold_is_not_said_to_be_none(lively: Path) -> None:
    """It exists, though no run of the window fits: then the window or another filter is in the way."""
    app = open_page("runs", step="synthesis", window="6h", error="NoSuchError")
    assert [each for each in warnings(app) if "No run has" in each] == [
        "No run has an error of class “NoSuchError”. Take it away here, or mend the link."
    ]


@pytest.mark.parametrize(("page", "name", "most"), [("runs", "text", 100), ("run", "find", 200)])
def test_a_text_that_is_too_long_is_cut_and_said_to_be(lively: Path, page: str, name: str, most: int) -> None:
    """What the field takes of it filters, and the message says so."""
    params = {name: "a" * (most + 50)} | ({"run": newest(lively, "failed")} if page == "run" else {})
    app = open_page(page, **params)
    assert healthy(app)
    assert app.text_input(key=name).value == "a" * most
    assert [each for each in warnings(app) if f"Shown is how it begins, {most} characters" in each]


def test_a_jump_to_a_run_of_another_workflow_takes_that_workflow(lively: Path) -> None:
    """The filter beside the run is the run's; the version goes with the old one. No filter stays none."""
    run_id = newest(lively, "failed")
    with duckdb.connect(str(lively), read_only=True) as con:
        of = con.execute("select workflow from run where run_id = ?", [run_id]).fetchall()[0][0]
    other = next(name for name in ("refund_triage", "lead_enrich") if name != of)
    for workflow, params in (
        (other, {"run": run_id, "workflow": of, "version": []}),
        (of, {"run": run_id}),
        ("", {"run": run_id}),
    ):
        app = open_page("overview", **({"workflow": workflow} if workflow else {}))
        app.text_input(key="jump").set_value(run_id).run()
        assert component(app, "navigate")["params"] == params


def test_a_workflow_that_no_run_bears_gives_an_empty_view_rather_than_another_one(lively: Path) -> None:
    """A link to a workflow that is gone must not show all workflows instead."""
    app = open_page("overview", workflow="long_gone")
    assert app.session_state["workflow"] == "long_gone"
    assert "No run began in the last hour" in words(app)


def test_a_window_before_anything_came_counts_no_spans_of_later(lively: Path) -> None:
    """An exact range ends where it ends, also for what was received; who sends is as empty."""
    past = {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}
    app = open_page("overview", **past)
    assert healthy(app)
    assert "**0** spans received" in words(app)
    assert "What senders left out" not in words(app)
    assert "Nothing from 01 Jan 00:00:00 to 02 Jan 00:00:00" in words(open_page("connect", **past))


def test_another_workflow_starts_with_all_of_its_versions(lively: Path) -> None:
    """A version belongs to a workflow; kept beside another one it would leave nothing to see."""
    app = open_page("overview", workflow="refund_triage", version="2.4.0")
    app.selectbox(key="workflow").set_value("lead_enrich").run()
    assert app.session_state["version"] is None
    assert {row["workflow"] for row in component(app, "overview_newest")["rows"]} == {"lead_enrich"}


def test_a_version_narrows_the_page(lively: Path) -> None:
    """Only runs of the chosen version are shown."""
    app = open_page("overview", version="2.4.0")
    assert {row["version"] for row in component(app, "overview_newest")["rows"]} == {"2.4.0"}


@pytest.mark.parametrize(
    "payload", ["'; drop table run; --", "$since_ns", "%", "\\", "\u0000", "a" * 99, "{{7*7}}", "😀"]
)
def test_text_is_data_and_never_sql(lively: Path, payload: str) -> None:
    """Whatever is searched for is bound; the store answers and is unharmed."""
    app = open_page("runs", text=payload, window="6h")
    assert healthy(app)
    assert len(component(open_page("runs", window="6h"), "runs_list")["rows"]) == 50
