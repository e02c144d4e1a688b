"""How often messages are sent: each token has its rate, and the operator has none."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import anyio
import httpx2
import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from caxton_adapters.auth.scopes import Scope
from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.token import ANYBODY, OPERATOR, Holder, TokenName
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.rest.message_rates import MessageRates
from caxton_adapters.rest.rates import Buckets, Rate
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.secrets import Secret
from tests.adapters.rest.conftest import Served, serving

OWN = {"authorization": "Bearer own"}
HELLO = {"text": "Hello"}
MESSAGE = "/agents/greeter/message"
BY_CAPABILITY = "/capabilities/greeting/message"
FIVE_AT_ONCE = RestSettings(token=Secret("own"), messages_per_minute=60, messages_at_once=5)

Shown = Mapping[str, str]


@define
class Time:
    """A clock that a test moves on; it is noon for whoever asks for the time of day."""

    seconds: float = 0.0
    day: datetime = field(default=datetime(2026, 11, 28, 12, tzinfo=UTC))

    def now(self) -> datetime:
        return self.day

    def monotonic(self) -> float:
        return self.seconds


async def token_of(tokens: Tokens, name: str, rate: int | None = None) -> Shown:
    scopes = frozenset({Scope.MESSAGE, Scope.READ})
    made = await tokens.create(TokenName(name), scopes, None, rate)
    assert not isinstance(made, Failure)
    return {"authorization": f"Bearer {made.unwrap()[0].reveal()}"}


def new_tokens() -> Tokens:
    return Tokens(Secret("own"), InMemoryTokens(), lambda: datetime.now(UTC))


async def sent(server: Served, shown: Shown, path: str = MESSAGE, **more: str) -> httpx2.Response:
    return await server.client.post(path, json=HELLO, headers={**shown, **more})


async def statuses(server: Served, times: int, shown: Shown, **more: str) -> list[int]:
    return [(await sent(server, shown, **more)).status_code for _ in range(times)]


async def accepted(server: Served) -> int:
    page = await server.client.get("/messages", headers=OWN, params={"limit": 200})
    return len(page.json()["messages"])


async def ended(server: Served, message: str) -> None:
    ticket = await server.runtime.message(message)
    assert not isinstance(ticket, Failure)
    with anyio.fail_after(20):
        await ticket.unwrap().done()


async def test_whoever_sends_too_much_is_told_when_to_come_again_and_then_is_let_in() -> None:
    time, tokens = Time(), new_tokens()
    robot = await token_of(tokens, "robot", 7)
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=time) as server:
        assert await statuses(server, 5, robot) == [200] * 5
        refused = await sent(server, robot)
        assert (refused.status_code, refused.json()["code"]) == (429, "CX3027")
        seconds = int(refused.headers["retry-after"])
        assert (seconds, refused.json()["retry_after"]) == (9, 9)
        assert refused.json()["detail"] == (
            "This token may send 7 messages a minute, 5 of them at once. "
            "This one was not accepted: try again in 9 s."
        )
        time.seconds += seconds - 1
        assert await statuses(server, 1, robot) == [429]
        time.seconds += 1
        assert await statuses(server, 2, robot) == [200, 429]
        assert await accepted(server) == 6


async def test_tokens_do_not_share_a_rate_and_the_operator_has_none() -> None:
    tokens = new_tokens()
    robot, other = await token_of(tokens, "robot"), await token_of(tokens, "other")
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=Time()) as server:
        assert await statuses(server, 6, robot) == [200] * 5 + [429]
        assert await statuses(server, 6, other) == [200] * 5 + [429]
        assert await statuses(server, 8, OWN) == [200] * 8


async def test_whoever_needs_no_token_has_no_limit() -> None:
    settings = RestSettings(messages_per_minute=1, messages_at_once=1)
    async with serving(settings=settings, clock=Time()) as server:
        assert await statuses(server, 4, {}) == [200] * 4


@pytest.mark.parametrize(("rate", "passed"), [(0, 8), (2, 2), (600, 5), (None, 5)])
async def test_a_rate_of_its_own_holds_for_a_token(rate: int | None, passed: int) -> None:
    tokens = new_tokens()
    robot = await token_of(tokens, "robot", rate)
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=Time()) as server:
        assert await statuses(server, 8, robot) == [200] * passed + [429] * (8 - passed)


async def test_a_server_may_have_no_limit_beside_a_token_that_has_one() -> None:
    settings = RestSettings(token=Secret("own"), messages_per_minute=0, messages_at_once=1)
    tokens = new_tokens()
    free, bound = await token_of(tokens, "free"), await token_of(tokens, "bound", 60)
    async with serving(settings=settings, tokens=tokens, clock=Time()) as server:
        assert await statuses(server, 3, free) == [200] * 3
        assert await statuses(server, 2, bound) == [200, 429]


async def test_what_headers_say_of_the_sender_changes_nothing() -> None:
    tokens = new_tokens()
    robot = await token_of(tokens, "robot")
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=Time()) as server:
        answers = [
            await sent(
                server,
                robot,
                **{"x-forwarded-for": f"10.0.0.{number}", "forwarded": f"for=10.0.0.{number}"},
            )
            for number in range(6)
        ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


async def test_messages_are_counted_whichever_way_they_come() -> None:
    tokens = new_tokens()
    robot = await token_of(tokens, "robot", 4)
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=Time()) as server:
        failed = await server.client.post(MESSAGE, json={"text": "boom"}, headers=robot)
        assert failed.status_code == 502
        [message] = (await server.client.get("/messages", headers=OWN)).json()["messages"]
        again = f"/messages/{message['message_id']}/retry"
        assert (await server.client.post(again, headers=robot)).status_code == 202
        await ended(server, message["message_id"])
        streamed = await sent(server, robot, accept="text/event-stream")
        assert (await sent(server, robot, BY_CAPABILITY)).status_code == 200
        assert streamed.status_code == 200
        for path in (MESSAGE, BY_CAPABILITY):
            assert (await sent(server, robot, path)).status_code == 429
        assert (await server.client.post(again, headers=robot)).status_code == 429
        assert await accepted(server) == 3


async def test_a_message_that_is_sent_again_under_its_key_is_counted_once() -> None:
    tokens = new_tokens()
    robot = await token_of(tokens, "robot", 1)
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=Time()) as server:
        for path in (MESSAGE, BY_CAPABILITY):
            for _ in range(3):
                answer = await sent(server, robot, path, **{"idempotency-key": "k"})
                assert answer.status_code == 200
        assert await statuses(server, 1, robot, **{"idempotency-key": "other"}) == [429]
        assert await accepted(server) == 1


async def test_what_could_not_be_accepted_anyway_is_not_counted() -> None:
    tokens = new_tokens()
    robot = await token_of(tokens, "robot", 1)
    async with serving(settings=FIVE_AT_ONCE, tokens=tokens, clock=Time()) as server:
        for path in ("/agents/nobody/message", "/capabilities/nothing/message"):
            assert (await sent(server, robot, path)).status_code == 404
        assert await statuses(server, 2, robot) == [200, 429]


async def test_a_flood_that_waits_for_nobody_gets_what_its_rate_allows() -> None:
    """Open loop: messages come at their times, whatever became of those before."""
    tokens, settings = new_tokens(), RestSettings(token=Secret("own"), messages_at_once=10)
    robot = await token_of(tokens, "robot")
    outcomes: list[int] = []
    async with serving(settings=settings, tokens=tokens) as server:
        began = anyio.current_time()

        async def send_at(second: float) -> None:
            await anyio.sleep_until(began + second)
            outcomes.append((await sent(server, robot)).status_code)

        async with anyio.create_task_group() as flood:
            for number in range(120):
                flood.start_soon(send_at, number / 120)
        took = anyio.current_time() - began
        assert set(outcomes) == {200, 429}
        assert 10 <= outcomes.count(200) <= 10 + took + 1
        assert await accepted(server) == outcomes.count(200)


@given(
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.lists(st.floats(0, 30, allow_subnormal=False), max_size=40),
)
def test_whoever_waits_as_long_as_told_is_let_in(
    a_minute: int, at_once: int, pauses: list[float]
) -> None:
    time = Time()
    buckets, rate = Buckets(time.monotonic), Rate(a_minute, at_once)
    for pause in pauses:
        time.seconds += pause
        if seconds := buckets.take("a", rate):
            time.seconds += math.ceil(seconds)
            assert buckets.take("a", rate) == 0.0


def test_whoever_has_no_limit_is_not_looked_up() -> None:
    rates = MessageRates(60, 20, Time().monotonic)
    assert rates.of(OPERATOR) is None
    assert rates.of(ANYBODY) is None
    assert rates.of(Holder("robot", frozenset({Scope.MESSAGE}))) is not None
