"""Every failure of a service is told as what it is, in the same way by both transports."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
import trustme
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.http_client import Limits
from caxton_adapters.providers.openai.failures import retry_after
from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import Transport
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    AnswerMalformed,
    ContentFiltered,
    ContextTooLong,
    ModelFailure,
    ModelNotFound,
    NameNotResolved,
    NotAuthenticated,
    NotPermitted,
    Phase,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    ServiceFault,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from caxton_core.primitives import Duration
from tests.adapters.providers.asking import (
    CANARY,
    HELLO,
    answer,
    asked,
    chunk,
    completed,
    events,
    provider,
    refused,
    settings,
    without_words,
)
from tests.raw_server import Act, Drip, Script, chunked, raw_server, response

transports = pytest.mark.parametrize("transport", list(Transport))
ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])

SAID = chunk({"content": "Hi"})
BEGUN = chunked(b"data: " + SAID + b"\n\n", end=b"")
CUT_JSON = response(b'{"choices": []}')[:-4]

REFUSALS: list[tuple[str, bytes, ModelFailure]] = [
    ("401", refused("401 x", message="bad key", code="invalid_api_key"), NotAuthenticated("")),
    ("403", refused("403 x", message="not in your country"), NotPermitted("")),
    (
        "404 model",
        refused("404 x", message="no such model", code="model_not_found"),
        ModelNotFound("some-model", ""),
    ),
    (
        "404 model, ollama",
        refused("404 x", message="model 'x' not found"),
        ModelNotFound("some-model", ""),
    ),
    ("404 address", response(b"<h1>Not Found</h1>", status="404 x"), RequestRefused(404, "")),
    ("402", refused("402 x", message="pay first"), QuotaExhausted("")),
    ("429", refused("429 x", message="slow down"), RateLimited("")),
    ("429 seconds", refused("429 x", "retry-after: 7", message="slow"), RateLimited("", 7.0)),
    ("429 ms", refused("429 x", "retry-after-ms: 250", message="slow"), RateLimited("", 0.25)),
    ("429 nonsense", refused("429 x", "retry-after: soon", message="slow"), RateLimited("")),
    ("quota", refused("429 x", message="no credit", code="insufficient_quota"), QuotaExhausted("")),
    (
        "context",
        refused(
            "400 x",
            message="This model's maximum context length is 8192 tokens",
            code="context_length_exceeded",
        ),
        ContextTooLong(""),
    ),
    (
        "context, llama.cpp",
        refused("400 x", message="request (20030 tokens) exceeds the available context size"),
        ContextTooLong(""),
    ),
    ("filter", refused("400 x", message="refused", code="content_filter"), ContentFiltered("")),
    ("400", refused("400 x", message="unknown parameter"), RequestRefused(400, "")),
    (
        "422 without form",
        response(b'{"detail": [{"msg": "x"}]}', status="422 x"),
        RequestRefused(422, ""),
    ),
    ("500", refused("500 x", message="oops"), ServiceFault(500, "")),
    ("503", refused("503 x", "retry-after: 2", message="busy"), ServiceFault(503, "", 2.0)),
    ("529", refused("529 x", message="overloaded"), ServiceFault(529, "")),
    ("502 page", response(b"<html>Bad Gateway</html>", status="502 x"), ServiceFault(502, "")),
    ("redirect", response(b"", "location: http://x/", status="307 x"), RequestRefused(307, "")),
]


@transports
@ways
@pytest.mark.parametrize(
    ("refusal", "expected"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
async def test_a_refusal_is_told_as_what_it_is(
    transport: Transport, refusal: bytes, expected: ModelFailure, *, stream: bool
) -> None:
    told = await answer(transport, (refusal,), stream=stream)
    assert isinstance(told, Failure)
    assert without_words(told.failure()) == expected


WHOLE: list[tuple[str, Script, ModelFailure]] = [
    ("silence", (Act.HANG,), TimedOut(Phase.FIRST_BYTE, 0.3)),
    ("closed at once", (Act.CLOSE,), Unreachable("", "")),
    ("cut body", (CUT_JSON, Act.CLOSE), AnswerCut("")),
    ("cut chunks", (chunked(b"{", end=b"", kind="application/json"), Act.CLOSE), AnswerCut("")),
    ("not HTTP", (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Act.CLOSE), AnswerMalformed("")),
    ("not JSON", (response(b"{"),), AnswerMalformed("")),
    ("deep JSON", (response(b"[" * 100_000),), AnswerMalformed("")),
    ("a page", (response(b"<html>", kind="text/html"),), AnswerMalformed("")),
    ("other JSON", (response(b'{"choices": "none"}'),), AnswerMalformed("")),
    ("a list", (response(b"[1]"),), AnswerMalformed("")),
    ("no choices", (response(b'{"choices": []}'),), AnswerEmpty()),
    ("nothing at all", (response(b"{}"),), AnswerEmpty()),
    (
        "withheld",
        (completed({"role": "assistant", "content": None}, "content_filter"),),
        ContentFiltered(""),
    ),
    (
        "an error",
        (response(b'{"error": {"message": "busy", "code": 503}}'),),
        ServiceFault(503, ""),
    ),
]


@transports
@pytest.mark.parametrize(
    ("script", "expected"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE]
)
async def test_a_broken_answer_is_told_as_what_it_is(
    transport: Transport, script: Script, expected: ModelFailure
) -> None:
    told = await answer(transport, script)
    assert isinstance(told, Failure)
    assert without_words(told.failure()) == expected


STREAMED: list[tuple[str, Script, ModelFailure]] = [
    ("silence", (Act.HANG,), TimedOut(Phase.FIRST_BYTE, 0.3)),
    ("silence within", (BEGUN, Act.HANG), TimedOut(Phase.IDLE, 0.3)),
    ("closed at once", (Act.CLOSE,), Unreachable("", "")),
    ("closed within", (BEGUN, Act.CLOSE), AnswerCut("")),
    ("ended too early", (events(SAID),), AnswerCut("")),
    ("no event", (chunked(),), AnswerEmpty()),
    ("only the end", (events(),), AnswerEmpty()),
    ("not JSON", (events(SAID, b"{"),), AnswerMalformed("")),
    ("other JSON", (events(b'{"choices": "none"}'),), AnswerMalformed("")),
    ("withheld", (events(chunk({}, "content_filter")),), ContentFiltered("")),
    ("an error", (events(SAID, b'{"error": {"message": "oops"}}'),), ServiceFault(500, "")),
    ("a limit", (events(b'{"error": {"message": "slow", "code": 429}}'),), RateLimited("")),
]


@transports
@pytest.mark.parametrize(
    ("script", "expected"), [row[1:] for row in STREAMED], ids=[row[0] for row in STREAMED]
)
async def test_a_broken_stream_is_told_as_what_it_is(
    transport: Transport, script: Script, expected: ModelFailure
) -> None:
    told = await answer(transport, script, stream=True)
    assert isinstance(told, Failure)
    assert without_words(told.failure()) == expected


@transports
@ways
async def test_a_slow_drip_is_ended_by_the_requests_own_timeout(
    transport: Transport, *, stream: bool
) -> None:
    hurried = evolve(HELLO, timeout=Duration(0.4))
    script = (BEGUN, Drip(b"2\r\n: \r\n" * 100, 0.05))
    assert await answer(transport, script, request=hurried, stream=stream) == Failure(
        TimedOut(Phase.TOTAL, 0.4)
    )


@transports
@ways
async def test_a_refused_connection_is_told(transport: Transport, *, stream: bool) -> None:
    async with raw_server((Act.CLOSE,)) as server:
        url = server.url
    model = openai_model(settings(url, transport))
    told = await asked(model, stream=stream)
    await model.aclose()
    assert isinstance(told, Failure)
    assert isinstance(told.failure(), Unreachable)


@transports
async def test_an_unknown_name_is_told(transport: Transport) -> None:
    model = openai_model(settings("http://nobody.invalid", transport))
    assert await model.complete(HELLO) == Failure(NameNotResolved("nobody.invalid"))
    await model.aclose()


@transports
async def test_an_untrusted_certificate_is_told(transport: Transport) -> None:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with raw_server((completed(),), tls=context) as server:
        model = openai_model(settings(server.url, transport))
        told = await model.complete(HELLO)
        await model.aclose()
    assert isinstance(told, Failure)
    assert isinstance(told.failure(), TlsFailed)


@transports
async def test_a_trusted_certificate_is_accepted(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with raw_server((completed(),), tls=context) as server:
        model = openai_model(settings(server.url, transport))
        told = await model.complete(HELLO)
        await model.aclose()
    assert isinstance(told, Success)


async def test_an_oversized_answer_is_refused() -> None:
    async with raw_server((chunked(*[b" " * 1000] * 100),)) as server:
        small = evolve(settings(server.url), max_body=50_000)
        model = openai_model(small)
        told = await model.complete(HELLO)
        await model.aclose()
    assert told == Failure(AnswerMalformed("the body of the response exceeds 50000 bytes"))
    assert settings("http://x").max_body == Limits().body == 16 * 1024 * 1024


@transports
@ways
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_a_key_that_a_service_repeats_is_not_repeated(
    transport: Transport, status: int, *, stream: bool
) -> None:
    echo = refused(f"{status} x", message=f"Incorrect API key provided: {CANARY}.")
    told = await answer(transport, (echo,), stream=stream)
    assert CANARY not in repr(told)
    assert "Incorrect API key provided: ***" in repr(told)


@transports
async def test_one_attempt_is_one_request(transport: Transport) -> None:
    async with provider(transport, (refused("503 x", message="busy"),)) as (model, server):
        await model.complete(HELLO)
        assert len(server.requests) == 1


def test_a_date_to_retry_after_is_a_number_of_seconds() -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    past = format_datetime(now - timedelta(seconds=90), usegmt=True)
    assert retry_after(later, None, now) == 90.0
    assert retry_after(past, None, now) == 0.0
    assert retry_after("-5", None, now) == 0.0
    assert [retry_after(text, None, now) for text in ("inf", "nan", "", None)] == [None] * 4


@transports
async def test_a_date_to_retry_after_is_read_from_the_wire(transport: Transport) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    told = await answer(transport, (refused("429 x", f"retry-after: {date}", message="slow"),))
    assert isinstance(told, Failure)
    failure = told.failure()
    assert isinstance(failure, RateLimited)
    assert failure.retry_after is not None
    assert 50 < failure.retry_after <= 60
