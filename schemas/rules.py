"""Rules of the user's own: section `rules` of `seamscope.toml`.

[rules]
side_effects = ["issue_refund"]

[rules.codes."shop.card_declined"]
layer_a = "tool"
layer_b = "handoff"

[[rules.match]]
code = "shop.card_declined"
where = "tool"
says = "card declined"

[[rules.contracts]]
name = "a plan ends where it says so"
step = "planner"
input = "end your plan with <end_plan>"
output = "<end_plan>"
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.codes import BY_NAME, Code, Severity
from schemas.taxonomy import LayerA, LayerB

_OWN_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\Z")


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"is no regular expression: {exc}") from exc
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_compiles)]


class UserCode(BaseModel):
    """A code of the user's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer_a: LayerA
    layer_b: LayerB
    severity: Severity = Severity.MEDIUM
    retryable: bool = False
    meaning: str = ""
    remedy: str = ""


class UserRule(BaseModel):
    """What names a failure by a code, ours or the user's own. Everything it says must fit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    where: Literal["any", "llm", "agent", "node", "tool"] = "any"
    exception: str | None = Field(None, min_length=1)
    """Exception class, without its module."""
    says: Pattern | None = None
    """Pattern in the error's class and message, or in the error text inside a result; any case."""
    status: int | None = None
    """HTTP status or JSON-RPC code."""
    attribute: str | None = Field(None, min_length=1)
    """Span attribute, such as `output.value`. Where it fits, a span has failed that does not say so itself."""
    value: Pattern | None = None
    """Pattern in the attribute's value, in its first 20,000 characters; any case."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.attribute is None) != (self.value is None):
            raise ValueError("attribute and value belong together")
        if not (self.exception or self.says or self.status is not None or self.attribute):
            raise ValueError("needs at least one of exception, says, status, or attribute with value")
        return self


class UserContract(BaseModel):
    """A promise between steps: where a step's input says one thing, its output must say another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    step: Pattern | None = None
    """Pattern that fits the whole name of the step; without it all steps are held to the contract."""
    input: Pattern
    """Pattern in the input, in its first 20,000 characters; any case."""
    output: Pattern
    """Pattern that must be in the output, in its last 20,000 characters; any case. A text that ends the answer and is
    not part of it (a stop sequence of the call) counts as said."""


class UserRules(BaseModel):
    """All of the user's rules. They go before ours, in the order they stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: dict[str, UserCode] = {}
    match: tuple[UserRule, ...] = ()
    side_effects: tuple[str, ...] = ()
    """Tools that must not run twice with the same arguments."""
    pass_score: float = Field(default=0.5, ge=0, le=1)
    """A score from 0 to 1 passes from here on, where its label tells nothing."""
    pass_scores: dict[str, float] = {}
    """The same for single evaluations by name, on whatever scale."""
    contracts: tuple[UserContract, ...] = ()

    @model_validator(mode="after")
    def _codes_are_known(self) -> Self:
        for name in self.codes:
            if name in BY_NAME:
                raise ValueError(f"code {name!r} is one of ours; give your own another name")
            if not _OWN_CODE.match(name):
                raise ValueError(f"code {name!r} must read like shop.card_declined: lower case, one dot")
        for rule in self.match:
            if rule.code not in BY_NAME and rule.code not in self.codes:
                raise ValueError(f"code {rule.code!r} is neither ours nor in rules.codes")
        return self

    def own_codes(self) -> tuple[Code, ...]:
        """The user's codes, in the form of ours."""
        return tuple(
            Code(name, code.layer_a, code.layer_b, code.severity, code.retryable, code.meaning, code.remedy)
            for name, code in self.codes.items()
        )


def known_codes(own: UserRules | None) -> dict[str, Code]:
    """Every code that a failure can have, ours and the user's, by name."""
    return {**BY_NAME, **{code.code: code for code in (own.own_codes() if own else ())}}
