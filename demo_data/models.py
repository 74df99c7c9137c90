"""Model answers: text, token counts and how long they take."""

from random import Random
from typing import NamedTuple

CHARACTERS_PER_TOKEN = 4


class ToolCall(NamedTuple):
    """A tool call inside a model's answer."""

    call_id: str
    name: str
    arguments: str
    """JSON text, as models write it."""


class Reply(NamedTuple):
    """One answer of a model."""

    text: str
    model: str
    response_id: str
    tokens_input: int
    tokens_output: int
    tokens_cached: int
    finish_reason: str = "stop"
    tool_call: ToolCall | None = None

    @property
    def latency_ms(self) -> float:
        """A typical duration of this answer: time to the first token, then 18 ms a token."""
        return 380.0 + 18.0 * self.tokens_output


def reply(
    rng: Random,
    model: str,
    prompt: str,
    text: str,
    *,
    context_tokens: int = 0,
    finish_reason: str = "stop",
    tool_call: ToolCall | None = None,
) -> Reply:
    """An answer with plausible token counts.

    Args:
        rng: source of chance.
        model: the dated model name that the provider returns.
        prompt: what the model was given.
        text: what it answers.
        context_tokens: tokens of instructions, tools and documents that are not in `prompt`.
        finish_reason: as OpenAI writes it.
        tool_call: the call it asks for instead of a text.
    """
    tokens_input = len(prompt) // CHARACTERS_PER_TOKEN + int(rng.lognormvariate(0.0, 0.15) * context_tokens) + 8
    written = text or (tool_call.arguments if tool_call else "")
    return Reply(
        text=text,
        model=model,
        response_id=f"chatcmpl-{rng.getrandbits(64):016x}",
        tokens_input=tokens_input,
        tokens_output=len(written) // CHARACTERS_PER_TOKEN + rng.randrange(4, 24),
        tokens_cached=tokens_input // 2 if rng.random() < 0.4 else 0,
        finish_reason=finish_reason,
        tool_call=tool_call,
    )
