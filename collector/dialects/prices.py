"""What a model call cost, from the price library that ships with its data. Nothing is fetched."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from collector.dialects.draft import Draft

DAY_NS = 86_400 * 10**9
PROVIDER_IDS = {
    "aws.bedrock": "aws",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "gcp.vertex_ai": "google",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "moonshot_ai": "moonshotai",
}
"""Provider names of the semantic conventions -> the library's, where its own matching does not know them."""


class Rates(NamedTuple):
    """Dollars per token."""

    fresh: float
    cached: float
    output: float


def cost_of(draft: Draft, start_ns: int) -> float | None:
    """Dollars of the call at the list price of its day; None where the library does not know model or price."""
    if draft.model is None or draft.tokens_input is None:
        return None
    rates = rates_of(draft.model, draft.provider, start_ns // DAY_NS)
    if rates is None:
        return None
    cached = min(draft.tokens_cached or 0, draft.tokens_input)
    return (
        (draft.tokens_input - cached) * rates.fresh + cached * rates.cached + (draft.tokens_output or 0) * rates.output
    )


@lru_cache(maxsize=4_096)
def rates_of(model: str, provider: str | None, day: int) -> Rates | None:
    """Prices of a model on a day (days since 1970, UTC), asked once of the library.

    A price that steps up with the length of the context is taken at its base: the step is not linear in tokens.
    """
    from genai_prices import Usage
    from genai_prices.data_snapshot import get_snapshot

    at = datetime.fromtimestamp(min(day, 2_900_000) * 86_400 + 43_200, UTC)
    known = PROVIDER_IDS.get(provider, provider) if provider else None
    try:
        found = get_snapshot().calc(Usage(input_tokens=1, output_tokens=1), model, known, None, at)
    except LookupError:
        return None
    price = found.model_price
    fresh = _per_token(price.input_mtok)
    if fresh is None:
        return None
    cached = _per_token(price.cache_read_mtok)
    return Rates(fresh, fresh if cached is None else cached, _per_token(price.output_mtok) or 0.0)


def _per_token(price: object) -> float | None:
    """Dollars per token of a price per million, plain or stepped."""
    base = getattr(price, "base", price)
    return float(base) / 1e6 if isinstance(base, Decimal) else None
