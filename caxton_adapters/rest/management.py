"""The Litestar application behind the front; loaded after the server answers."""

from importlib.metadata import version
from typing import Any, Final

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException, MethodNotAllowedException

from caxton_adapters.rest import exchange, problem
from caxton_adapters.rest.controllers import CONTROLLERS
from caxton_adapters.rest.description import openapi_config
from caxton_adapters.rest.exchange import METHODS_ASKED, Answer, Asked, Header, refusal
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.served import Resources, Served, asked_of

_BAD_PARAMETER: Final = (
    problem.INVALID_PARAMETER,
    "A parameter is not what it has to be; `errors` says which.",
)
_TITLES: Final = {
    404: (problem.UNKNOWN_PATH, "There is nothing at this path."),
    405: (problem.METHOD_NOT_ALLOWED, "This path does not take the method."),
}


def refuse(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own refusals in the form of all others."""
    code, detail = _TITLES.get(error.status_code, _BAD_PARAMETER)
    extra = error.extra if isinstance(error.extra, list) else []
    items = tuple(
        problem.ErrorItem(
            code=code, message=str(item.get("message", detail)), at=str(item.get("key", ""))
        )
        for item in extra
        if isinstance(item, dict)
    )
    headers = tuple(
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in (error.headers or {}).items()
    )
    context = exchange.current.get() or exchange.context_of({})
    asked = Asked(request.method, request.scope["path"], {}, b"", context)
    if METHODS_ASKED in request.scope and isinstance(error, MethodNotAllowedException):
        return Served(Answer(204, headers=_with_options(headers)), asked)
    refused = Refused(error.status_code, code, detail, items, headers)
    return Served(refusal(refused, context), asked)


def _with_options(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    allowed = dict(headers).get(b"allow", b"").split(b", ")
    return ((b"allow", b", ".join(sorted({*allowed, b"OPTIONS"}))),)


def fail(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Let a defect reach the front, which answers it and has it logged."""
    raise error


def application(resources: Resources) -> Litestar:
    """The application; building it takes some tenths of a second."""
    return Litestar(
        route_handlers=CONTROLLERS,
        dependencies={
            "asked": Provide(asked_of),
            "resources": Provide(lambda: resources, sync_to_thread=False),
        },
        exception_handlers={HTTPException: refuse, Exception: fail},
        openapi_config=openapi_config(version("caxton")),
        logging_config=None,
    )
