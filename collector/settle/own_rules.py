"""The user's own rules (schemas.rules) made ready, before ours."""

import hashlib
import json
import re

from collector.settle.rules import OUR_RULES, RULES, Contract, Rule, Rules, Where
from schemas.rules import UserContract, UserRule, UserRules
from schemas.version import RULE_VERSION

WHERE = {"any": Where.ANY, "llm": Where.LLM, "agent": Where.AGENT, "node": Where.NODE, "tool": Where.CALL}


def rules_with(own: UserRules | None) -> Rules:
    """The rules to settle with."""
    if own is None:
        return OUR_RULES
    rows = [_row(rule, number) for number, rule in enumerate(own.match, 1)]
    return Rules([*rows, *RULES], own.own_codes(), own.side_effects, own, map(_contract, own.contracts))


def rules_id(own: UserRules | None) -> str:
    """Tells the rules in force from all others: our version, and a digest of the user's own where there are any."""
    if own is None or own == UserRules():
        return str(RULE_VERSION)
    said = json.dumps(own.model_dump(mode="json"), sort_keys=True)
    return f"{RULE_VERSION}+{hashlib.blake2b(said.encode(), digest_size=6, usedforsecurity=False).hexdigest()}"


def _contract(said: UserContract) -> Contract:
    step = re.compile(rf"(?:{said.step})\Z", re.IGNORECASE) if said.step is not None else None
    flags = re.IGNORECASE | re.DOTALL
    return Contract(said.name, step, re.compile(said.input, flags), re.compile(said.output, flags))


def _row(rule: UserRule, number: int) -> Rule:
    says = rule.says or ""
    if rule.exception:
        says = rf"\A(?={re.escape(rule.exception)}\b)" + (f"(?=.*?(?:{says}))" if says else "")
    return Rule(
        rule.code,
        f"own-{number}",
        WHERE[rule.where],
        says,
        () if rule.status is None else (str(rule.status),),
        attribute=rule.attribute or "",
        value=rule.value or "",
    )
