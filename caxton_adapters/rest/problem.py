"""An error as RFC 9457 writes it, and its codes: one form for every refusal of the API."""

from typing import Final, final

import msgspec

from caxton_core.codes.catalogue import EXPLANATIONS

CONTENT_TYPE: Final = b"application/problem+json"
_RETRY_AFTER: Final = b"retry-after"

MALFORMED_BODY: Final = "CX3001"
INVALID_BODY: Final = "CX3002"
UNKNOWN_PATH: Final = "CX3003"
METHOD_NOT_ALLOWED: Final = "CX3004"
BODY_TOO_LARGE: Final = "CX3005"
UNSUPPORTED_MEDIA_TYPE: Final = "CX3006"
NOT_AUTHENTICATED: Final = "CX3007"
BAD_HOST: Final = "CX3008"
FOREIGN_HOST: Final = "CX3009"
FOREIGN_ORIGIN: Final = "CX3010"
INVALID_PARAMETER: Final = "CX3011"
REQUEST_TOO_SLOW: Final = "CX3012"
URL_TOO_LONG: Final = "CX3013"
HEADERS_TOO_LARGE: Final = "CX3014"
TOO_MANY_CONNECTIONS: Final = "CX3015"
MALFORMED_REQUEST: Final = "CX3016"
BAD_IDEMPOTENCY_KEY: Final = "CX3017"
KEY_REUSED: Final = "CX3018"
INTERNAL: Final = "CX3019"
TOO_MANY_LISTENERS: Final = "CX3020"
OUT_OF_SCOPE: Final = "CX3021"
TOO_OFTEN: Final = "CX3022"
TOO_MANY_FAILURES: Final = "CX3023"
TOKEN_NAME_TAKEN: Final = "CX3024"  # noqa: S105 - a code
UNKNOWN_TOKEN: Final = "CX3025"  # noqa: S105 - a code
NOBODY_LEFT: Final = "CX3026"
TOO_MANY_MESSAGES: Final = "CX3027"


class ErrorItem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that is wrong in what was sent.

    `at` is a path in it, `file` where it stands if it was not sent; lines and columns count from 1,
    the end is exclusive.
    """

    code: str
    message: str
    at: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    why: str | None = None
    help: str | None = None
    suggestion: str | None = None
    docs: str | None = None


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error; `code` is stable, `detail` is for people.

    `retry_after` is the header `Retry-After`, in seconds: an event of a stream has no headers.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[ErrorItem, ...] = ()
    retry_after: int | None = None


@final
class Refused(msgspec.Struct, frozen=True):
    """Why a request is refused, before it is known which request that was."""

    status: int
    code: str
    detail: str
    errors: tuple[ErrorItem, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()


_encode: Final = msgspec.json.Encoder().encode


def details(refused: Refused, request_id: str) -> ProblemDetails:
    """The refusal of one request."""
    return ProblemDetails(
        f"/problems/{refused.code}",
        EXPLANATIONS[refused.code].title,
        refused.status,
        refused.detail,
        refused.code,
        request_id,
        refused.errors,
        _seconds_to_wait(refused),
    )


def _seconds_to_wait(refused: Refused) -> int | None:
    return next((int(text) for name, text in refused.headers if name == _RETRY_AFTER), None)


def encoded(refused: Refused, request_id: str) -> bytes:
    """The refusal as it is sent."""
    return _encode(details(refused, request_id))


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """The header that asks to come back after so many seconds, at least one."""
    return _RETRY_AFTER, b"%d" % max(1, -int(-seconds // 1))
