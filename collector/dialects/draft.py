"""Normalised in the making, and reading attribute values that may be of any type."""

import operator
from collections.abc import Callable, Sequence

from schemas.records import Attributes, Normalised, Span
from schemas.taxonomy import StepKind

NAME_LIMIT = 200  # characters of any name; longer ones are data that leaked into a name
ERROR_LIMIT = 2_000  # characters of an error message
IN_BAND_LIMIT = 500  # characters of an error found inside an output
ATTEMPT_LIMIT = 10_000  # more attempts or resends than this are a lie
COUNT_LIMIT = 10**12  # a larger token count is a lie and would overflow sums


class Draft:
    """The fields of Normalised, to be filled in by a dialect; unset ones keep the default of the class."""

    dialect: str = "generic"
    framework: str | None = None
    step_kind: str = StepKind.CHAIN.value
    step_name: str = ""
    workflow: str | None = None
    workflow_version: str | None = None
    agent: str | None = None
    model: str | None = None
    provider: str | None = None
    tool: str | None = None
    tool_call_id: str | None = None
    tools_offered: int | None = None
    session_id: str | None = None
    environment: str | None = None
    service: str | None = None
    input_key: str | None = None
    output_key: str | None = None
    input_hash: int | None = None
    output_hash: int | None = None
    output_kind: str | None = None
    tokens_input: int | None = None
    tokens_output: int | None = None
    tokens_cached: int | None = None
    tokens_reasoning: int | None = None
    tokens_are_sum: bool = False
    cost_usd: float | None = None
    response_id: str | None = None
    finish_reason: str | None = None
    failed: bool = False
    interrupted: bool = False
    error_type: str | None = None
    error_message: str | None = None
    in_band_error: str | None = None
    collateral: bool = False
    resend_count: int | None = None
    attempt: int | None = None
    visit_key: str | None = None
    run_key: str | None = None
    prompt_version: str | None = None
    gaps: Sequence[str] = ()
    evaluations: str | None = None

    def gap(self, name: str) -> None:
        """Note what the span should have said and did not."""
        if name not in self.gaps:
            self.gaps = (*self.gaps, name)

    def finished(self) -> Normalised:
        """The record."""
        return Normalised._make(_FIELDS(self))


_FIELDS = operator.attrgetter(*Normalised._fields)

Reader = Callable[[Span, Attributes, Draft], None]
"""One dialect: reads a span's attributes into the draft."""


def name_of(value: object, limit: int = NAME_LIMIT) -> str | None:
    """The text, cut; None for anything that is not text or is empty."""
    if value.__class__ is str and value:
        return value[:limit]
    return None


def pick(draft: Draft, field: str, attributes: Attributes, keys: Sequence[str]) -> str | None:
    """The first non-empty text among the keys; a value that is no text counts as a gap and is passed over."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            if value.__class__ is str:
                if value:
                    return value[:NAME_LIMIT]
            else:
                draft.gap(f"{field}:type")
    return None


def count_of(value: object) -> int | None:
    """A plain non-negative whole number, also as digits or a whole float (JavaScript senders); else None."""
    if value.__class__ is int:
        number: int = value
    elif (value.__class__ is str and value.isdecimal() and len(value) <= 15) or (
        value.__class__ is float and value.is_integer()
    ):
        number = int(value)
    else:
        return None
    return number if 0 <= number <= COUNT_LIMIT else None


def pick_count(draft: Draft, field: str, attributes: Attributes, keys: Sequence[str]) -> int | None:
    """The first count among the keys; a value that is no count is a gap and is passed over."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            number = count_of(value)
            if number is not None:
                return number
            draft.gap(f"{field}:type")
    return None


def attempt_of(value: object) -> int | None:
    """A 1-based attempt number; None for what cannot be one."""
    number = count_of(value)
    return number if number is not None and 1 <= number <= ATTEMPT_LIMIT else None


def pick_cost(draft: Draft, attributes: Attributes, keys: Sequence[str]) -> float | None:
    """The first plausible amount of dollars among the keys."""
    for key in keys:
        value = attributes.get(key)
        if value is not None:
            if (value.__class__ is float or value.__class__ is int) and 0 <= value < 1e9:
                return float(value)
            draft.gap("cost_usd:type")
    return None
