"""Rules of the user's own go before ours, and may say that a span failed which claims success."""

from typing import Any

import pyarrow as pa

from collector.settle import ASKED, Settled, rules_with, settle
from collector.settle.rules import OUR_RULES, Said, Where
from schemas.rules import UserRules
from tests.collector.settle.batches import QUIET_NS, made, table

RUN = made("run", None, 0, 99, step_kind="workflow", workflow="w")
CODE = {"layer_a": "tool", "layer_b": "handoff", "severity": "medium"}


def own(*match: dict[str, Any], severity: str = "medium") -> UserRules:
    codes = {"shop.card_declined": {**CODE, "severity": severity}}
    return UserRules.model_validate({"codes": codes, "match": match})


def named(rules: UserRules, where: Where, says: str) -> str:
    return rules_with(rules).name(Said(where, says)).code.code


def test_without_rules_of_your_own_ours_are_used_as_they_are() -> None:
    assert rules_with(None) is OUR_RULES


def test_own_rule_goes_before_ours_and_ours_contribute() -> None:
    rules = rules_with(own({"code": "shop.card_declined", "where": "tool", "says": "card declined"}))
    found = rules.name(Said(Where.TOOL, "HTTPError: 503 Service Unavailable: Card declined"))
    assert (found.code.code, found.rule_id, found.contributing) == (
        "shop.card_declined", "shop.card_declined/own-1", ("tool.unavailable",),
    )  # fmt: skip
    assert (found.code.layer_a, found.code.layer_b) == ("tool", "handoff")


def test_everything_a_rule_says_must_fit() -> None:
    rules = own({"code": "tool.auth", "where": "tool", "exception": "LedgerError", "says": "locked", "status": 423})
    assert named(rules, Where.TOOL, "LedgerError: HTTP 423: account locked") == "tool.auth"
    for where, says in (
        (Where.TOOL, "LedgerError: HTTP 423: closed"),
        (Where.TOOL, "LedgerErrors: HTTP 423: account locked"),
        (Where.TOOL, "ValueError: LedgerError HTTP 423: account locked"),
        (Where.TOOL, "LedgerError: HTTP 422: account locked"),
        (Where.LLM, "LedgerError: HTTP 423: account locked"),
    ):
        assert named(rules, where, says) != "tool.auth"


def settled_with(rules: UserRules, *rows: tuple[object, ...], asked: list[list[str | None]]) -> Settled:
    batch = table(rows).append_column(ASKED, pa.array(asked, pa.list_(pa.string())))
    return settle(batch, QUIET_NS, rules_with(rules))


DECLINED = {"code": "shop.card_declined", "where": "tool", "attribute": "output.value", "value": "declined"}
PAY: dict[str, Any] = {"step_kind": "tool", "tool": "pay", "step_name": "pay"}


def test_attribute_alone_tells_a_failure_that_the_span_does_not_say() -> None:
    rows = [RUN, made("a", "run", 1, 2, **PAY), made("b", "run", 3, 4, **PAY, input_hash=2)]
    rules = own(DECLINED)
    assert rules_with(rules).asked == ("output.value",)
    result = settled_with(rules, *rows, asked=[[None], ["ok"], ["Card DECLINED by issuer"]])
    (failure,) = [row for row in result.failure if row.role == "root"]
    assert (failure.span_id, failure.code, failure.evidence) == ("b", "shop.card_declined", "Card DECLINED by issuer")
    assert (result.run[0].outcome, result.run[0].code) == ("silent", "shop.card_declined")


def test_contract_asks_for_what_an_answer_must_hold() -> None:
    """A span without the attribute has no answer, so it breaks no contract."""
    contract = {
        "code": "handoff.contract_missing",
        "where": "llm",
        "attribute": "output.value",
        "value": "\\A(?!.*<end>)",
    }
    rows = [RUN, *(made(name, "run", n, n + 1, step_kind="llm") for n, name in enumerate("abc", 1))]
    result = settled_with(own(contract), *rows, asked=[[None], ["plan <end>"], ["plan"], [None]])
    assert [(f.span_id, f.code, f.certainty) for f in result.failure] == [("b", "handoff.contract_missing", "inferred")]
    assert result.run[0].outcome == "clean"


def test_attribute_names_a_failure_that_is_known() -> None:
    rows = [RUN, made("a", "run", 1, 2, **PAY, failed=True, error_type="Boom")]
    result = settled_with(own(DECLINED), *rows, asked=[[None], ["declined"]])
    assert result.run[0].code == "shop.card_declined"


def test_own_code_of_low_severity_is_shown_and_decides_nothing() -> None:
    result = settled_with(
        own(DECLINED, severity="low"), RUN, made("a", "run", 1, 2, **PAY), asked=[[None], ["declined"]]
    )
    assert [row.code for row in result.failure] == ["shop.card_declined"]
    assert (result.run[0].outcome, result.run[0].code) == ("clean", None)


def test_batch_without_the_attributes_settles_all_the_same() -> None:
    assert settle(table([RUN, made("a", "run", 1, 2, **PAY)]), QUIET_NS, rules_with(own(DECLINED))).failure == []
