"""Rules for errors that no rule knows."""

import tomllib
from typing import Any

import pytest

from dashboard.analytics.backlog import rules_for
from schemas.rules import UserRules
from tests.dashboard.hostile import hostile_text


def row(error_type: str | None, kind: str | None = "tool", evidence: str = "Boom: x") -> dict[str, Any]:
    return {"error_type": error_type, "kind": kind, "evidence": evidence}


def read(text: str) -> UserRules:
    return UserRules.model_validate(tomllib.loads(text)["rules"])


def test_a_rule_can_be_pasted_as_it_stands() -> None:
    """It is valid, names the exception class, and knows where it happens."""
    rules = read(rules_for([row("LedgerLocked"), row("HTTPError2", "llm"), row("LedgerLocked", "chain")]))
    assert [(rule.code, rule.exception, rule.where) for rule in rules.match] == [
        ("mine.ledger_locked", "LedgerLocked", "tool"),
        ("mine.httperror2", "HTTPError2", "llm"),
        ("mine.ledger_locked_2", "LedgerLocked", "node"),
    ]


def test_without_a_class_the_message_matches() -> None:
    """By how the message begins, as text and not as a pattern; a span that says nothing gives no rule."""
    (rule,) = read(rules_for([row(None, None, "no answer (yet)\nmore"), row(None, "tool", "status ERROR")])).match
    assert rule.says == r"no\ answer\ \(yet\)"


@pytest.mark.parametrize("text", [hostile_text("http://x"), '"]\n[x]', "\x00\x7f\ud800", "日本", "1"])
def test_whatever_a_span_says_stays_a_string(text: str) -> None:
    """Hostile text neither ends its string nor adds a key."""
    rules = read(rules_for([row(text)]))
    assert len(rules.match) == len(rules.codes) == 1
