"""What an answer costs is what the price library says, without its weight in the server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from genai_prices import Usage as LibraryUsage
from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, Provider
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from caxton_adapters.providers.price_lookup import found, written
from caxton_adapters.providers.prices import Always, Daily, PriceList, Rate, Rates, Since, cost
from caxton_adapters.providers.pricing import Pricing, from_price_table, read_price_list
from caxton_core.limits import Usage
from caxton_core.primitives import Usd
from tests.acceptance.criteria import criterion
from tests.adapters.providers.guarded import World

OPENAI = "https://api.openai.com/v1"
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def _priced() -> Iterator[tuple[Provider, ModelInfo]]:
    """Every model of the library that has a price for tokens."""
    for provider in providers:
        for model in provider.models:
            prices = model.prices
            if isinstance(prices, ModelPrice):
                if prices.input_mtok is not None or prices.output_mtok is not None:
                    yield provider, model
            elif prices:
                yield provider, model


MODELS = list(_priced())


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    prompt = draw(st.integers(0, 500_000))
    completion = draw(st.integers(0, 100_000))
    return Usage(
        prompt,
        completion,
        draw(st.integers(0, prompt)),
        draw(st.integers(0, completion)),
    )


@given(st.sampled_from(MODELS), usages(), st.datetimes(timezones=st.just(UTC)))
def test_a_model_costs_what_the_library_says(
    model: tuple[Provider, ModelInfo], usage: Usage, at: datetime
) -> None:
    _assert_same_cost(*model, usage, at)


@pytest.mark.parametrize("prompt", [1_000, 1_000_000], ids=["short", "long"])
def test_every_model_costs_what_the_library_says(prompt: int) -> None:
    for provider, info in MODELS:
        _assert_same_cost(provider, info, Usage(prompt, 777, prompt // 3, 111), NOW)


def _assert_same_cost(provider: Provider, info: ModelInfo, usage: Usage, at: datetime) -> None:
    prices = read_price_list(json.dumps(written(info)).encode())
    assert prices is not None
    told = LibraryUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=usage.cached_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
    )
    expected = info.calc_price(told, provider, genai_request_timestamp=at).total_price
    billionths = (expected * 10**9).to_integral_value(ROUND_HALF_UP)
    assert cost(prices, usage, at).value == int(billionths)


def test_the_library_finds_the_model_whatever_its_date() -> None:
    assert found(OPENAI, "gpt-4o") is not None
    assert found(OPENAI, "gpt-4o-2024-08-06") == found(OPENAI, "gpt-4o")
    assert found(OPENAI, "no-such-model") is None
    assert found("https://models.example.org/v1", "gpt-4o") is None


async def test_the_price_comes_from_another_process() -> None:
    prices = await from_price_table(OPENAI, "gpt-4o")
    assert prices is not None
    assert prices.context_length == 128_000
    assert cost(prices, Usage(1_000_000, 0), NOW) == Usd(2_500_000_000)
    assert await from_price_table(OPENAI, "no-such-model") is None


def test_the_server_does_not_import_the_library() -> None:
    script = (
        "import sys, caxton_adapters.providers.catalogue\n"
        "print(sorted({'genai_prices', 'pydantic', 'openai', 'xllamacpp'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "[]"


@criterion("STORY-042.6")
async def test_each_model_is_looked_up_once() -> None:
    asked: list[str] = []

    async def lookup(_base_url: str, model: str) -> PriceList | None:
        asked.append(model)
        return PriceList(((Always(), Rates(Rate(10**9), Rate(10**9))),))

    script = '[[rules]]\nanswer = "ok"\nusage = { prompt_tokens = 3, completion_tokens = 4 }'
    world = World(script, pricing=Pricing("https://models.example.org", lookup))
    for stream in (False, True, False):
        answer = await world.ask(stream=stream)
        assert isinstance(answer, Success)
        assert answer.unwrap().usage.cost == Usd(7_000)
    assert asked == ["some-model"]


@pytest.mark.parametrize("host", ["127.0.0.1:11434", "localhost:8000", "[::1]:8000"])
async def test_services_of_this_machine_are_in_no_price_list(host: str) -> None:
    async def lookup(_base_url: str, _model: str) -> PriceList | None:
        raise AssertionError

    assert await Pricing(f"http://{host}/v1", lookup).find("gpt-4o") is None


def test_the_last_rate_in_force_counts() -> None:
    old, new, night = (Rates(Rate(n * 10**15)) for n in (1, 2, 3))
    begins, ends = datetime(2026, 1, 1, 23, tzinfo=UTC).time(), datetime(2026, 1, 1, 5).time()  # noqa: DTZ001 (a time of day)
    prices = PriceList(
        (
            (Always(), old),
            (Since(datetime(2026, 6, 1, tzinfo=UTC).date()), new),
            (Daily(begins, ends), night),
        )
    )
    one = Usage(1)
    assert cost(prices, one, datetime(2026, 5, 31, 12, tzinfo=UTC)) == Usd(10**9)
    assert cost(prices, one, datetime(2026, 6, 1, 12, tzinfo=UTC)) == Usd(2 * 10**9)
    assert cost(prices, one, datetime(2026, 6, 1, 4, tzinfo=UTC)) == Usd(3 * 10**9)


def test_no_cent_is_lost_however_many_answers_there_are() -> None:
    prices = PriceList(((Always(), Rates(Rate(150_000_000), Rate(600_000_000))),))  # $0.15, $0.60
    total = sum(cost(prices, Usage(20, 10), NOW).value for _ in range(100_000))
    assert Usd(total) == Usd(int(Decimal("0.9") * 10**9))
