"""The runtime finds every configured provider by its name, and nothing else changes."""

import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.http_client import Timeouts
from caxton_adapters.providers.catalogue import Catalogue, Means, open_catalogue
from caxton_adapters.providers.prices import PriceList
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings, Transport
from caxton_adapters.secrets import Secret
from caxton_adapters.testing.model import question, streamed
from caxton_core.conversation.model import (
    Healthy,
    LimitReached,
    NotAuthenticated,
    ProviderUnknown,
    Unreachable,
)
from caxton_core.primitives import ModelName, ProviderName
from tests.model_server import ModelServer, model_server

CANARY = "sk-canary-4d1f0b77"
FAULTS = (
    "status=401",
    "status=403",
    "status=404,code=model_not_found",
    "status=429",
    "status=429,code=insufficient_quota",
    "status=500",
    "fault=drop",
    "fault=hang",
    "fault=cut",
    "fault=stall",
    "fault=garbage",
    "fault=not-http",
    "fault=empty",
)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def provider(name: str, url: str, **more: object) -> ProviderSettings:
    plain = ProviderSettings(
        name=ProviderName(name),
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=url,
        api_key=Secret(CANARY),
        model=ModelName("echo"),
        timeouts=Timeouts(connect=1.0, first_byte=0.2, idle=0.2),
        retries=0,
    )
    return evolve(plain, **more)  # type: ignore[arg-type] # keywords of the settings


SCRIPTED = ProviderSettings(name=ProviderName("scripted"), kind=ProviderKind.SCRIPTED)


async def no_price(_base_url: str, _model: str) -> PriceList | None:
    return None


def catalogue(*settings: ProviderSettings, default: str | None = None) -> Catalogue:
    name = None if default is None else ProviderName(default)
    opened = open_catalogue(settings, Means(SystemClock(), lambda: 0.0, no_price), name)
    assert isinstance(opened, Success)
    return opened.unwrap()


async def test_a_provider_is_found_by_its_name_and_the_first_without_one(
    server: ModelServer,
) -> None:
    both = catalogue(SCRIPTED, provider("echo", server.url))
    for name, text in ((None, "scripted"), (ProviderName("echo"), "tell me")):
        found = both.find(name)
        assert isinstance(found, Success)
        answer = await found.unwrap().complete(question("tell me"))
        assert isinstance(answer, Success)
        assert text in answer.unwrap().text
    assert both.find(None) is both.find(None)
    await both.aclose()


async def test_another_default_can_be_named(server: ModelServer) -> None:
    both = catalogue(SCRIPTED, provider("echo", server.url), default="echo")
    assert both.default == ProviderName("echo")
    await both.aclose()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    name = ProviderName("nobody")
    assert catalogue(SCRIPTED).find(name) == Failure(ProviderUnknown(name, (SCRIPTED.name,)))
    assert catalogue().find(None) == Failure(ProviderUnknown(None, ()))


def test_nothing_is_built_before_it_is_asked_for() -> None:
    sdk = provider("sdk", "http://127.0.0.1:1/v1", transport=Transport.SDK)
    assert catalogue(sdk, SCRIPTED)._built == {}


async def test_health_asks_all_and_tells_each(server: ModelServer) -> None:
    wrong_key = provider("locked", server.at("key=another"))
    down = provider("down", "http://127.0.0.1:1/v1")
    several = catalogue(SCRIPTED, provider("echo", server.url), wrong_key, down)
    health = {str(name): result for name, result in (await several.health()).items()}
    assert list(health) == ["scripted", "echo", "locked", "down"]
    assert health["scripted"] == Success(Healthy(("scripted",)))
    assert isinstance(health["echo"], Success)
    locked, unreachable = (one for one in health.values() if isinstance(one, Failure))
    assert isinstance(locked.failure(), NotAuthenticated)
    assert isinstance(unreachable.failure(), Unreachable)
    await several.aclose()


def test_scenarios_that_cannot_be_played_are_told_before_anything_starts(tmp_path: Path) -> None:
    wrong, absent = tmp_path / "wrong.toml", tmp_path / "absent.toml"
    wrong.write_text("[[rules]]\nansver = 1")
    settings = [
        evolve(SCRIPTED, name=ProviderName(path.stem), scenario=path) for path in (wrong, absent)
    ]
    opened = open_catalogue(settings, Means(SystemClock()))
    assert isinstance(opened, Failure)
    first, second = opened.failure()
    assert [(one.provider.value, one.path) for one in (first, second)] == [
        ("wrong", wrong),
        ("absent", absent),
    ]
    assert "ansver" in first.text
    assert isinstance(first.why, tuple)
    assert isinstance(second.why, str)


async def test_limits_of_the_settings_hold(server: ModelServer) -> None:
    one = catalogue(provider("echo", server.at("tag=limits"), requests_per_minute=2))
    found = one.find(None)
    assert isinstance(found, Success)
    answers = [await found.unwrap().complete(question("x")) for _ in range(3)]
    assert [isinstance(answer, Success) for answer in answers] == [True, True, False]
    last = answers[-1]
    assert isinstance(last, Failure)
    assert isinstance(last.failure(), LimitReached)
    await one.aclose()


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_key_is_in_nothing_that_anyone_can_see(
    server: ModelServer, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = provider("canary", server.at(f"{fault},tag=canary"), cost_per_day=Decimal(1))
    free = evolve(settings, cost_per_day=None)
    seen: list[object] = [settings]
    for each in (settings, free):
        one = catalogue(each)
        found = one.find(None)
        assert isinstance(found, Success)
        answer = await found.unwrap().complete(question("x"))
        assert isinstance(answer, Failure)
        seen += [answer, await streamed(found.unwrap(), question("x")), await one.health()]
        seen += [one, vars(one), vars(found.unwrap()), one.left_alone(each.name)]
        await one.aclose()
    said = [text for thing in seen for text in (repr(thing), str(thing))]
    said += [record.getMessage() + str(vars(record)) for record in caplog.records]
    assert not [text for text in said if CANARY in text]


async def test_a_wrong_key_is_told_without_the_key(server: ModelServer) -> None:
    one = catalogue(provider("locked", server.at("key=another")))
    found = one.find(None)
    assert isinstance(found, Success)
    answer = await found.unwrap().complete(question("x"))
    assert isinstance(answer, Failure)
    assert isinstance(answer.failure(), NotAuthenticated)
    assert CANARY not in repr(answer)
    await one.aclose()


async def test_prices_of_configured_models_are_learned_beforehand() -> None:
    asked: list[tuple[str, str]] = []

    async def lookup(base_url: str, model: str) -> PriceList | None:
        asked.append((base_url, model))
        return None

    url = "https://models.example.org/v1"
    settings = (provider("paid", url), provider("ours", "http://127.0.0.1:1/v1"), SCRIPTED)
    opened = open_catalogue(settings, Means(SystemClock(), lambda: 0.0, lookup))
    assert isinstance(opened, Success)
    await opened.unwrap().prepare()
    assert asked == [(url, "echo")]
    await opened.unwrap().aclose()
