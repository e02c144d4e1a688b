"""How often: costly requests of each token, and wrong tokens of each address."""

from datetime import UTC, datetime

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.auth.scopes import Scope
from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.token import OPERATOR, STRANGER, Holder, TokenName
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.rates import MOST_REMEMBERED, Buckets, Rate, Rates
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import serving

HOST = [(b"host", b"localhost")]


@define
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_is_free_at_once_and_then_fills_evenly() -> None:
    seconds = Seconds()
    rates = Rates(3, seconds)
    assert [rates.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rates.take("a") == pytest.approx(20.0)
    seconds.now = 19.9
    assert rates.take("a") > 0
    seconds.now = 20.1
    assert rates.take("a") == 0.0
    assert rates.wait("a") > 0
    assert rates.take("b") == 0.0


@given(st.lists(st.floats(0, 30), max_size=60))
def test_never_more_than_told_pass_in_a_minute(pauses: list[float]) -> None:
    seconds, passed = Seconds(), []
    rates = Rates(5, seconds)
    for pause in pauses:
        seconds.now += pause
        if rates.take("a") == 0.0:
            passed.append(seconds.now)
    for since in passed:
        assert sum(1 for time in passed if since <= time < since + 60) <= 2 * 5


def test_what_is_remembered_has_an_end() -> None:
    buckets = Buckets(Seconds())
    for number in range(2 * MOST_REMEMBERED):
        buckets.take(number, Rate(1, 1))
    assert len(buckets) == MOST_REMEMBERED


async def test_costly_requests_are_counted_for_each_token() -> None:
    tokens = Tokens(Secret("own"), InMemoryTokens(), lambda: datetime.now(UTC))
    made = await tokens.create(TokenName("robot"), frozenset({Scope.AGENTS_WRITE}), None)
    robot = {"authorization": f"Bearer {made.unwrap()[0].reveal()}"}  # type: ignore[union-attr]
    settings = RestSettings(token=Secret("own"), costly_per_minute=2)
    async with serving(settings=settings, tokens=tokens) as server:
        client = server.client
        deployed = [await client.post("/validate", content=b"", headers=robot) for _ in range(3)]
        operator = await client.post(
            "/validate", content=b"", headers={"authorization": "Bearer own"}
        )
        message = await client.get("/capabilities", headers=robot)
    assert [answer.status_code for answer in deployed] == [200, 200, 429]
    assert deployed[2].json()["code"] == "CX3022"
    assert int(deployed[2].headers["retry-after"]) == 30
    assert operator.status_code == 200
    assert message.status_code == 403


async def test_a_forwarded_address_has_no_bucket_of_its_own() -> None:
    settings = RestSettings(token=Secret("a-short-one"), failed_logins_per_minute=3)
    async with serving(settings=settings) as server:
        codes = [
            (
                await server.client.get(
                    "/agents",
                    headers={
                        "authorization": "Bearer wrong",
                        "x-forwarded-for": f"10.0.0.{number}",
                        "forwarded": f"for=10.0.0.{number}",
                        "x-real-ip": f"10.0.0.{number}",
                    },
                )
            ).json()["code"]
            for number in range(5)
        ]
    assert codes == ["CX3007", "CX3007", "CX3007", "CX3023", "CX3023"]


def wrong(guard: Guard, peer: str) -> int:
    headers = dict([*HOST, (b"authorization", b"Bearer wrong")])
    holder = guard.holder(headers, peer)
    refused = guard.refusal("GET", "/agents", HOST, headers, holder, peer)
    assert refused is not None
    return refused.status


def test_a_short_token_cannot_be_guessed_by_whoever_was_often_wrong() -> None:
    guard = Guard(RestSettings(token=Secret("short"), failed_logins_per_minute=2), None, Seconds())
    right = {b"authorization": b"Bearer short"}
    assert [wrong(guard, "10.0.0.9") for _ in range(3)] == [401, 401, 429]
    assert guard.holder(right, "10.0.0.9") is STRANGER
    assert guard.holder(right, "10.0.0.8") is OPERATOR


async def test_what_nobody_can_guess_is_let_in_beside_whoever_guesses() -> None:
    long = "an-operators-token-of-32-letters"
    tokens = Tokens(Secret(long), InMemoryTokens(), lambda: datetime.now(UTC))
    made = await tokens.create(TokenName("robot"), frozenset({Scope.READ}), None)
    shown = made.unwrap()[0].reveal()  # type: ignore[union-attr]
    settings = RestSettings(token=Secret(long), failed_logins_per_minute=1)
    guard = Guard(settings, tokens, Seconds())
    assert [wrong(guard, "10.0.0.9") for _ in range(2)] == [401, 429]
    robot = {b"authorization": f"Bearer {shown}".encode()}
    assert guard.holder(robot, "10.0.0.9") == Holder("robot", frozenset({Scope.READ}))
    assert guard.holder({b"authorization": f"Bearer {long}".encode()}, "10.0.0.9") is OPERATOR


def test_a_request_without_a_token_is_not_a_wrong_one() -> None:
    guard = Guard(RestSettings(token=Secret("short"), failed_logins_per_minute=1), None, Seconds())
    for _ in range(5):
        refused = guard.refusal("GET", "/agents", HOST, dict(HOST), STRANGER, "10.0.0.9")
        assert refused is not None
        assert refused.status == 401


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("fe80::1%lo", "fe80::2%lo", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_whoever_has_a_network_of_addresses_has_one_count(
    first: str, second: str, *, same: bool
) -> None:
    guard = Guard(RestSettings(token=Secret("short"), failed_logins_per_minute=1), None, Seconds())
    assert wrong(guard, first) == 401
    assert wrong(guard, second) == (429 if same else 401)
