"""Refusals in the terms of HTTP: every reason has a status, a code of its own, and words."""

import subprocess
import sys
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Failure

from caxton_adapters.rest.body import read_json
from caxton_adapters.rest.exchange import context_of
from caxton_adapters.rest.failures import of_model, of_turn
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.problem import Refused, encoded
from caxton_adapters.rest.refusals import of_runtime
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.rest.wire import DeployRequest, MessageRequest
from caxton_adapters.runtime.refusals import TurnsInFlight
from caxton_core.conversation.model import (
    CircuitOpen,
    LimitReached,
    ModelFailure,
    ModelNotFound,
    Phase,
    ProviderUnknown,
    RateLimited,
    ServiceFault,
    TimedOut,
)
from caxton_core.conversation.outcome import AgentCrashed, AgentGone
from caxton_core.conversation.turn import (
    BudgetReached,
    Cancelled,
    DeadlinePassed,
    ModelFailed,
    OutOfOrder,
    TooManyToolRounds,
)
from caxton_core.primitives import AgentName, ProviderName
from caxton_core.testing.conversation import failures

GATEWAY = {422, 429, 502, 503, 504}
HEADERS = st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=40)), max_size=6)
KNOWN = st.sampled_from([b"host", b"origin", b"authorization", b"traceparent", b"x-request-id"])


@given(failures)
def test_every_failure_of_a_provider_has_a_status_and_words(failure: ModelFailure) -> None:
    refused = of_model(failure)
    assert refused.status in GATEWAY
    assert refused.detail.endswith(".")
    assert msgspec.json.decode(encoded(refused, "x"))["title"]


def test_a_model_that_nobody_named_is_not_called_by_an_empty_name() -> None:
    refused = of_model(ModelNotFound("", "write `model`"))
    assert refused.detail == "No model is named: write `model`."


@pytest.mark.parametrize(("count", "words"), [(1, "a message;"), (2, "2 messages;")])
def test_messages_at_work_are_counted_in_words(count: int, words: str) -> None:
    assert words in of_runtime(TurnsInFlight(AgentName("greeter"), count)).detail


def test_a_blank_message_is_refused_in_words() -> None:
    read = read_json(msgspec.json.Decoder(MessageRequest), b'{"text":" "}')
    assert isinstance(read, Failure)
    (item,) = read.failure().errors
    assert (item.message, item.at) == ("Expected a text that is not blank", "text")


def test_every_kind_of_failure_has_a_code_of_its_own() -> None:
    codes = {}

    @settings(max_examples=500, derandomize=True, database=None)
    @given(failures)
    def collect(failure: ModelFailure) -> None:
        codes[type(failure)] = of_model(failure).code

    collect()
    assert set(codes) == set(get_args(ModelFailure))
    assert len(set(codes.values())) == len(codes)


@pytest.mark.parametrize(
    ("failure", "status", "later"),
    [
        (RateLimited("busy", 2.1), 429, b"3"),
        (RateLimited("busy"), 429, None),
        (ServiceFault(500, "broken", 0.1), 502, b"1"),
        (TimedOut(Phase.FIRST_BYTE, 30.0), 504, None),
        (CircuitOpen(ProviderName("a"), 30.0), 503, b"30"),
        (LimitReached("requests_per_minute", 12.0), 429, b"12"),
        (ProviderUnknown(None, ()), 503, None),
    ],
)
def test_who_may_come_back_is_told_when(
    failure: ModelFailure, status: int, later: bytes | None
) -> None:
    refused = of_model(failure)
    assert refused.status == status
    assert dict(refused.headers).get(b"retry-after") == later


def test_a_failed_turn_is_told_as_what_failed_in_it() -> None:
    ended = (
        ModelFailed(RateLimited("busy")),
        BudgetReached("budget.tokens_per_day", "9 tokens a day", 60.0),
        BudgetReached("budget.tokens_per_day", "9 tokens a day", None),
        DeadlinePassed(),
        Cancelled(),
        TooManyToolRounds(16),
        OutOfOrder("a", "b"),
        AgentCrashed("killed"),
        AgentGone("stopped"),
    )
    statuses = [of_turn(failure).status for failure in ended]
    assert statuses == [429, 429, 422, 504, 409, 500, 500, 500, 503]
    assert len({of_turn(failure).code for failure in ended}) == len(ended)


@pytest.mark.parametrize("kind", [MessageRequest, DeployRequest])
@given(st.data())
def test_whatever_the_body_is_reading_answers(
    kind: type[MessageRequest | DeployRequest], data: st.DataObject
) -> None:
    body = data.draw(st.binary() | st.text().map(str.encode) | st.binary().map(b'{"text":'.__add__))
    decoder = msgspec.json.Decoder(kind)
    read = read_json(decoder, body)
    assert isinstance(
        read.failure() if isinstance(read, Failure) else read.unwrap(), kind | Refused
    )


@given(HEADERS, st.lists(st.tuples(KNOWN, st.binary(max_size=80)), max_size=6))
def test_whatever_the_head_is_the_guard_answers(
    others: list[tuple[bytes, bytes]], known: list[tuple[bytes, bytes]]
) -> None:
    raw = [*others, *known]
    guard = Guard(RestSettings())
    refused = guard.refusal("POST", "/agents", raw, dict(raw), guard.holder(dict(raw)))
    assert refused is None or refused.status in {400, 403}
    context = context_of(dict(raw))
    assert context.request_id.isascii()
    assert 0 < len(context.request_id) <= 128


def test_a_callers_trace_is_taken_up() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    given_ = {b"traceparent": f"00-{trace}-00f067aa0ba902b7-01".encode()}
    assert context_of(given_).trace == trace


@pytest.mark.parametrize(
    "parent",
    [
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "4bf92f35",
    ],
)
def test_a_malformed_trace_is_left_alone(parent: str) -> None:
    assert context_of({b"traceparent": parent.encode()}).trace is None


def test_the_front_is_there_before_litestar() -> None:
    program = (
        "import sys, caxton_adapters.rest.api, caxton_adapters.rest.serving; "
        "sys.exit('litestar' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
