"""What a refusal, a broken answer or a broken connection means in the core's words."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import assert_never

import msgspec

from caxton_adapters import http_client
from caxton_adapters.http_client import HttpFailure, Stage
from caxton_adapters.providers.openai.decoding import Reader
from caxton_adapters.providers.openai.wire import ErrorDetail, ErrorResponse
from caxton_adapters.secrets import MASK, Secret
from caxton_core.conversation.model import (
    AnswerCut,
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

LONGEST_REASON = 500
QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
)
CONTEXT = frozenset({"context_length_exceeded", "exceed_context_size_error"})
FILTER = frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})
TOO_LONG = re.compile(
    r"maximum context length|context (length|size|window)|prompt is too long", re.IGNORECASE
)
PHASES = {
    Stage.CONNECT: Phase.CONNECT,
    Stage.FIRST_BYTE: Phase.FIRST_BYTE,
    Stage.IDLE: Phase.IDLE,
    Stage.TOTAL: Phase.TOTAL,
}

_errors = Reader(ErrorResponse)


def refusal(
    status: int, body: bytes, model: str, retry_after: float | None, key: Secret | None
) -> ModelFailure:
    """What a response that is no success means; the key is never repeated."""
    detail = _detail(body)
    why = _reason(detail.message or f"HTTP status {status}", key)
    return _by_code(detail, status, why, model) or _by_status(status, why, retry_after)


def fault_in_stream(error: ErrorDetail | str, model: str, key: Secret | None) -> ModelFailure:
    """What an error means that comes in the place of an answer, after a success was announced."""
    detail = ErrorDetail(error) if isinstance(error, str) else error
    status = detail.code if isinstance(detail.code, int) and 400 <= detail.code < 600 else 500  # noqa: PLR2004 (HTTP's error statuses)
    why = _reason(detail.message or "the service reports an error", key)
    return _by_code(detail, status, why, model) or _by_status(status, why, None)


def retry_after(seconds: str | None, milliseconds: str | None, now: datetime) -> float | None:
    """How long a service asks to wait, in seconds; its header holds seconds or a date."""
    if milliseconds is not None and (said := _number(milliseconds)) is not None:
        return said / 1000
    if seconds is None:
        return None
    said = _number(seconds)
    return _until(seconds, now) if said is None else said


def broken_connection(  # noqa: C901 (one case for each failure, none of them nested)
    failure: HttpFailure, where: str
) -> ModelFailure:
    """What it means that a request got no response."""
    match failure:
        case http_client.NameNotResolved(host):
            return NameNotResolved(host)
        case http_client.NotConnected(_, _, why):
            return Unreachable(where, why)
        case http_client.TlsFailed(_, _, why):
            return TlsFailed(where, why)
        case http_client.ProxyFailed(proxy, why):
            return Unreachable(where, f"proxy {proxy}: {why}")
        case http_client.TimedOut(stage, after):
            return TimedOut(PHASES[stage], after)
        case http_client.ConnectionLost(0, why):
            return Unreachable(where, f"closed before an answer: {why}")
        case http_client.ConnectionLost(_, why):
            return AnswerCut(why)
        case http_client.MalformedResponse(why):
            return AnswerMalformed(why)
        case http_client.ResponseTooLarge(part, limit):
            return AnswerMalformed(f"the {part} of the response exceeds {limit} bytes")
        case http_client.RedirectRefused(status, location):
            return redirected(status, location)
        case http_client.ClientClosed():
            return Unreachable(where, "the connections to it are being closed")
        case _:
            assert_never(failure)


def redirected(status: int, location: str) -> RequestRefused:
    """A redirect, which would carry the key to another place."""
    why = f"redirects are not followed; it points to {location[:LONGEST_REASON]!r}"
    return RequestRefused(status, why)


def malformed(error: Exception) -> AnswerMalformed:
    """An answer that is not what the protocol says."""
    return AnswerMalformed(str(error)[:LONGEST_REASON])


def _detail(body: bytes) -> ErrorDetail:
    try:
        response = _errors.read(body)
    except msgspec.DecodeError:
        return ErrorDetail(body[:LONGEST_REASON].decode("utf-8", "replace").strip())
    match response.error:
        case ErrorDetail() as detail:
            return detail
        case str() as message:
            return ErrorDetail(message, response.type, response.code)
        case None:
            said = None if response.detail is None else str(response.detail)
            return ErrorDetail(response.message or said, response.type, response.code)


def _by_code(detail: ErrorDetail, status: int, why: str, model: str) -> ModelFailure | None:
    names = {name for name in (detail.code, detail.type) if isinstance(name, str)}
    if names & QUOTA or status == 402:  # noqa: PLR2004 (payment required)
        return QuotaExhausted(why)
    if names & CONTEXT or (status in (400, 413, 422) and TOO_LONG.search(why)):
        return ContextTooLong(why)
    if names & FILTER:
        return ContentFiltered(why)
    if "model_not_found" in names or (status == 404 and "model" in why.lower()):  # noqa: PLR2004 (HTTP)
        return ModelNotFound(model, why)
    return None


def _by_status(status: int, why: str, wait: float | None) -> ModelFailure:
    match status:
        case 401:
            return NotAuthenticated(why)
        case 403:
            return NotPermitted(why)
        case 429:
            return RateLimited(why, wait)
        case 408 | 409 | 425:
            return ServiceFault(status, why, wait)
        case _ if status >= 500:  # noqa: PLR2004 (the service's own errors begin here)
            return ServiceFault(status, why, wait)
        case _:
            return RequestRefused(status, why)


def _reason(text: str, key: Secret | None) -> str:
    if key is not None and key.reveal():
        text = text.replace(key.reveal(), MASK)
    return text[:LONGEST_REASON]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return max(number, 0.0) if isfinite(number) else None


def _until(text: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)
