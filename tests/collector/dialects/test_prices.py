"""Cost: the span's own word, else the list price of the day; never a request."""

import socket
from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price

from collector.dialects import normalise
from collector.dialects.prices import rates_of
from tests.collector.dialects.spans import make_span

DAY = 86_400 * 10**9


def call(**attributes: object) -> dict[str, object]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 200,
        **attributes,
    }


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a price look-up reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    rates_of.cache_clear()


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-4o-mini"), ("openai", "gpt-4o-mini-2024-07-18"), ("anthropic", "claude-sonnet-4-5"),
     ("azure.ai.openai", "gpt-4o"), ("gcp.gemini", "gemini-2.0-flash"), ("groq", "llama-3.1-8b-instant")],
)  # fmt: skip
def test_the_price_is_the_library_s(provider: str, model: str) -> None:
    attributes = call(
        **{
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.usage.cache_read.input_tokens": 300,
        }
    )
    span = make_span(attributes=attributes)
    at = datetime.fromtimestamp(span.start_ns / 1e9, UTC)
    usage = Usage(input_tokens=1_000, output_tokens=200, cache_read_tokens=300)
    known = {"azure.ai.openai": "azure", "gcp.gemini": "google"}.get(provider, provider)
    expected = calc_price(usage, model, provider_id=known, genai_request_timestamp=at).total_price
    assert normalise(span).cost_usd == pytest.approx(float(expected))


def test_the_span_s_own_cost_wins() -> None:
    assert normalise(make_span(attributes=call(**{"gen_ai.usage.cost": 0.5}))).cost_usd == 0.5


@pytest.mark.parametrize("own", [float("nan"), -1.0, "0.5", [1], True])
def test_a_cost_that_cannot_be_is_passed_over(own: object) -> None:
    said = normalise(make_span(attributes=call(**{"gen_ai.usage.cost": own})))
    assert said.cost_usd == pytest.approx(1_000 * 0.15e-6 + 200 * 0.6e-6)
    assert "cost_usd:type" in said.gaps


def test_an_unknown_model_has_no_cost() -> None:
    assert normalise(make_span(attributes=call(**{"gen_ai.request.model": "house-model-7"}))).cost_usd is None


def test_a_model_without_counts_has_no_cost() -> None:
    attributes = call()
    del attributes["gen_ai.usage.input_tokens"]
    assert normalise(make_span(attributes=attributes)).cost_usd is None


@pytest.mark.parametrize("day", [0, 10**9])
def test_any_day_can_be_asked_for(day: int) -> None:
    rates_of("gpt-4o-mini", "openai", day)
