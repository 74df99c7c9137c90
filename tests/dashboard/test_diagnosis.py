"""What the Run page says of a run."""

from typing import Any

from dashboard.analytics.diagnosis import Diagnosis, Text, diagnose
from schemas.codes import BY_NAME
from schemas.rules import UserRules, known_codes

S = 1_000_000_000


def run(outcome: str, **values: Any) -> dict[str, Any]:
    base = {"outcome": outcome, "verdict": None, "root_span_id": "root", "failing_step": None, "origin_span_id": None}
    return base | values


def root(**values: Any) -> dict[str, Any]:
    """A root occurrence: a ledger call that timed out after three tries."""
    code = BY_NAME.get(values.get("code", "tool.timeout"), BY_NAME["tool.timeout"])
    base = {
        "trace_id": "t",
        "span_id": "leaf",
        "is_primary": True,
        "roots": 1,
        "step": "tool_call",
        "code": code.code,
        "layer_a": str(code.layer_a),
        "layer_b": str(code.layer_b),
        "certainty": "observed",
        "severity": "high",
        "recovered": False,
        "silent": False,
        "trigger": None,
        "contributing": [],
        "evidence": "TimeoutError: no answer within 30 s",
        "error_type": "TimeoutError",
        "at_ns": 0,
        "rule_id": "tool.timeout/text",
        "rule_version": 1,
        "kind": "tool",
        "name": "ledger.query",
        "chain_step": "tool_call",
        "attempt": 1,
        "duration_ns": 30 * S,
        "shows_failure": True,
        "is_in_band": False,
        "says_error": True,
        "tries": 1,
        "tries_name": "ledger.query",
        "tries_kind": "tool",
    }
    rest = (
        "issuer_span_id issuer_name issuer_kind tries_evidence failed_tries good_attempt good_span_id tries_ns "
        "tries_tokens after_ns after_tokens passed_on passed_on_names passed_on_span_id hidden_span_id hidden_name "
        "hidden_kind collateral collateral_span_id"
    )
    return dict.fromkeys(rest.split()) | base | values


def told(*roots: dict[str, Any], outcome: str = "failed", lens: Any = "A", **values: Any) -> Diagnosis:
    return diagnose(run(outcome, **values), roots, lens, known_codes(None))


def said(diagnosis: Diagnosis) -> str:
    return " ".join(sentence.plain() for sentence in diagnosis.sentences)


def test_a_failed_run_is_told_from_step_to_remedy() -> None:
    """Step, error, layer, code, evidence, retries, spread, cost and remedy, in this order, with the rule."""
    row = root(
        tries=3,
        tries_evidence="siblings",
        failed_tries=3,
        tries_ns=94 * S,
        tries_tokens=1200,
        contributing=["recovery.blind_retry"],
        passed_on=2,
        passed_on_names=["tool_call", "refund_triage"],
        passed_on_span_id="above",
        collateral=1,
        collateral_span_id="beside",
        after_ns=2 * S,
        after_tokens=310,
    )
    found = told(row)
    assert said(found) == (
        "The tool call ledger.query of tool_call failed after 30.0 s with TimeoutError, and the run failed. "
        "Layer tool (recovery in lens B), code tool.timeout. A tool did not answer in time. Observed, the span says so "
        "itself: TimeoutError: no answer within 30 s. It was tried 3 times (each in a span of its own); none was good. "
        "Contributing: recovery.blind_retry. It passed through 2 spans above it: tool_call, refund_triage. "
        "1 span beside it was cut off as collateral. The 3 failed tries cost 1 m 34 s and 1,200 tokens, waits between "
        "them included. The run then went on for 2.00 s and 310 tokens in vain. What usually fixes it: "
        + BY_NAME["tool.timeout"].remedy
    )
    assert found.rule == "tool.timeout/text, rules v1"
    spans = [sentence.span_id for sentence in found.sentences]
    assert spans == ["leaf", "leaf", "leaf", "leaf", "above", "beside", "leaf", "root", "leaf"]


def test_the_lens_chooses_the_layer() -> None:
    """The chosen lens comes first and looks like a layer; the other one stands beside it."""
    which = told(root(), lens="B").sentences[1]
    assert which.plain().startswith("Layer recovery (tool in lens A), code tool.timeout.")
    assert Text("recovery", "layer") in which.parts


def test_a_silent_failure_names_who_hid_it() -> None:
    """The span that ended well over it is named and linked; what was built on it is counted."""
    row = root(silent=True, hidden_span_id="hider", hidden_name="tool_call", hidden_kind="chain", after_ns=2 * S)
    found = told(row, outcome="silent")
    assert "nothing at the top of the run says so." in said(found)
    hid = next(sentence for sentence in found.sentences if "hid it" in sentence.plain())
    assert hid.span_id == "hider"
    assert hid.plain() == "The step tool_call hid it: it ended well although this lay below it."
    assert "went on for 2.00 s on top of it." in said(found)


def test_a_recovered_run_says_by_what() -> None:
    """A good try is named with its number and linked; else it was something later."""
    tried = root(
        recovered=True, tries=2, failed_tries=1, good_attempt=2, good_span_id="good", tries_ns=S, tries_tokens=7
    )
    found = told(tried, outcome="recovered")
    assert "It was tried 2 times; try 2 was good." in said(found)
    assert "The failed try cost 1.00 s and 7 tokens until the good one began." in said(found)
    assert "good" in [sentence.span_id for sentence in found.sentences]
    assert "in vain" not in said(found)
    assert "Something that ran later made it good." in said(told(root(recovered=True), outcome="recovered"))


def test_a_retry_further_up_is_told_of_the_step_that_was_tried() -> None:
    """A node that is run again is named; the failed call below it was tried once a time."""
    row = root(tries=2, tries_name="tool_call", tries_kind="chain")
    assert "The step tool_call was tried 2 times; none was good." in said(told(row))


def test_no_retry_is_worded_with_care() -> None:
    """Retries inside an SDK leave no spans: the page must not say that there was none."""
    assert "No retry is visible; an SDK may have retried without leaving spans." in said(
        told(root(contributing=["recovery.no_retry"]))
    )


def test_pending_open_and_clean_runs() -> None:
    """A waiting run and an unfinished one are called so; a clean one needs no words."""
    assert said(told(outcome="pending")) == "The run waits for a human."
    assert said(told(root(), outcome="open")).startswith("The run has not finished: ")
    assert told(outcome="clean") == Diagnosis(())


def test_a_note_of_low_severity_does_not_make_a_clean_run_sound_bad() -> None:
    """What decides nothing is told beside, not as the diagnosis."""
    note = root(code="state.redundant_step", is_primary=False, severity="low", certainty="inferred", silent=True)
    found = told(note, outcome="clean")
    assert found.sentences == ()
    assert [other.plain() for other in found.others] == [
        "Tool call ledger.query of tool_call: state, state.redundant_step, inferred, silent"
    ]


def test_an_unclassified_failure_has_no_layer_and_a_way_out() -> None:
    """No guess; the remedy says that a rule of one's own can name it."""
    row = root(code="unclassified", layer_a="unclassified", layer_b="unclassified", rule_id=None)
    found = told(row)
    assert "No rule knows this error, so it has no layer: unclassified: TimeoutError" in said(found)
    assert "a rule of your own in seamscope.toml can name it." in said(found)
    assert found.rule is None


def test_a_code_of_the_users_own_brings_its_own_remedy() -> None:
    """Meaning and remedy come from seamscope.toml; a code that is gone from it does no harm."""
    own = UserRules.model_validate(
        {
            "codes": {
                "shop.card": {"layer_a": "tool", "layer_b": "handoff", "meaning": "Declined.", "remedy": "Ask again."}
            }
        }
    )
    row = root() | {"code": "shop.card", "layer_b": "handoff"}
    text = said(diagnose(run("failed"), [row], "A", known_codes(own)))
    assert "code shop.card. Declined. " in text
    assert text.endswith("What usually fixes it: Ask again.")
    assert "fixes it" not in said(told(row))


def test_judged_failures_are_told_as_judged() -> None:
    """Only an evaluator says so, and the span itself ended well; a verdict without a code is told as well."""
    row = root(code="judged.goal", certainty="judged", shows_failure=False, error_type=None)
    assert "was judged to have failed" in said(told(row, outcome="silent", verdict="fail"))
    assert "Judged, only an evaluator says so: " in said(told(row, outcome="silent", verdict="fail"))
    assert said(told(outcome="clean", verdict="fail")) == (
        "An evaluator's verdict says that the run did not do what it should."
    )


def test_at_a_seam_the_one_who_produced_the_input_is_named() -> None:
    """A handoff fails where it is read; it was made elsewhere."""
    row = root(code="handoff.schema_invalid", issuer_span_id="maker", issuer_name="gpt-4.1", issuer_kind="llm")
    sentence = next(each for each in told(row).sentences if each.span_id == "maker")
    assert sentence.plain() == "What it worked on came from the model call gpt-4.1."
    assert not [each for each in told(root(issuer_span_id="maker")).sentences if each.span_id == "maker"]


def test_others_come_after_the_primary_one_and_the_rest_is_counted() -> None:
    """Eight more in short, those that read alike as one line, then how many there are."""
    rows = [root(roots=30), *(root(is_primary=False, roots=30, recovered=True) for _ in range(11))]
    found = told(*rows)
    assert [other.plain() for other in found.others] == [
        "Tool call ledger.query of tool_call: tool, tool.timeout, observed, recovered, 8 times",
        "21 more stand under Failures.",
    ]


def test_text_of_spans_stays_apart_and_short() -> None:
    """Names, error and evidence are never part of our own words, on one line and cut."""
    row = root(
        name="<n>",
        error_type="<e>",
        evidence="<v>\n" + "x" * 900,
        chain_step="<c>",
        passed_on=1,
        passed_on_names=["<p>"],
    )
    for sentence in told(row).sentences:
        assert not any("<" in part for part in sentence.parts if isinstance(part, str))
        assert all(len(part.text) <= 240 for part in sentence.parts if isinstance(part, Text))


def test_a_run_without_a_stored_cause_is_still_explained() -> None:
    """An older store, or one whose failure rows are gone, names the step."""
    assert said(told(outcome="failed", failing_step="tool_call")) == "The run failed: tool_call did."
    assert said(told(outcome="recovered")) == "Something failed and the run recovered from it."
