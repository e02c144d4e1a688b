"""The OpenAPI description of the whole API, and the page that shows it without the internet."""

import base64
import copy
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, final

import msgspec
from litestar import Request, Response, Router
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import License

from caxton_adapters.auth.scopes import EVERYTHING
from caxton_adapters.rest.access import Rule, rule_for
from caxton_adapters.rest.archive_wire import RetryRequest
from caxton_adapters.rest.problem import ProblemDetails
from caxton_adapters.rest.token_wire import TokenRequest
from caxton_adapters.rest.tools_wire import ApproveRequest, CallRequest
from caxton_adapters.rest.wire import DeployRequest, MessageAccepted, MessageRequest
from caxton_core.memory.written import Written
from caxton_core.reading.describing import json_schema

_TITLE: Final = "Caxton"
_ABOUT: Final = """\
An agent server: deploy agents from TOML files and send them messages.

Every error is `application/problem+json` (RFC 9457) with a stable `code`; `GET /problems/{code}`
explains it. Every answer carries `X-Request-Id`; a request may bring its own.
"""

_Json = dict[str, Any]
NOT_FOUND: Final = 404

_TOML_EXAMPLE: Final = 'name = "greeter"\nsystem_prompt = "You greet people warmly and briefly."\n'
_SENTENCE: Final = re.compile(r"[.;:,](?:\s|$)")
"""Ends the first clause of a description, which is short enough for a list."""
_NAME: Final = re.compile(r"\{[^}]*\}")
_TOKEN_SCHEME: Final[_Json] = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of the server; each operation names the scope that it needs. `admin` "
    "includes all others.",
}
_STRUCTS: Final = (
    ProblemDetails,
    MessageRequest,
    MessageAccepted,
    DeployRequest,
    RetryRequest,
    ApproveRequest,
    CallRequest,
    TokenRequest,
)


def _ref(struct: type[msgspec.Struct]) -> _Json:
    return {"schema": {"$ref": f"#/components/schemas/{struct.__name__}"}}


def _with_members(cls: type, **more: _Json) -> _Json:
    """The schema of what is read into a class, with members that are read apart."""
    schema = json_schema(cls, "")
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return {
        "type": "object",
        "properties": {**properties, **more},
        "additionalProperties": False,
    }


_AGENT_FILE: Final[_Json] = {
    "required": True,
    "content": {
        "application/toml": {"schema": {"type": "string"}, "example": _TOML_EXAMPLE},
        "application/json": _ref(DeployRequest),
    },
}
_MESSAGE: Final[_Json] = {"required": True, "content": {"application/json": _ref(MessageRequest)}}
_ANY: Final[_Json] = {"description": "Anything, as JSON."}
_SEEN: Final[_Json] = {"type": ["string", "null"], "description": "`updated_at` as it was seen."}
_ENTRY: Final[_Json] = {
    "required": True,
    "content": {
        "application/json": {"schema": _with_members(Written, value=_ANY, if_updated_at=_SEEN)}
    },
}
_LINES: Final[_Json] = {"content": {"application/jsonl": {"schema": {"type": "string"}}}}
_TOKEN: Final[_Json] = {"required": True, "content": {"application/json": _ref(TokenRequest)}}
_RETRY: Final[_Json] = {"content": {"application/json": _ref(RetryRequest)}}


def _registration(*required: str) -> _Json:
    """A registration of a server of tools; its keys are described with the settings."""
    schema: _Json = {
        "type": "object",
        "description": "The keys of `[mcp.servers.NAME]` in the settings.",
        "properties": {
            **{name: {"type": "string"} for name in (*required, "command", "url")},
            "args": {"type": "array", "items": {"type": "string"}},
        },
        "required": list(required),
    }
    example = {**dict.fromkeys(required, "clock"), "command": "mcp-server-time"}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


_BODIES: Final[Mapping[str, _Json]] = {
    "deployAgent": _AGENT_FILE,
    "replaceAgent": _AGENT_FILE,
    "validateAgentFile": {**_AGENT_FILE, "required": False},
    "putEntry": _ENTRY,
    "importMemory": _LINES,
    "retryMessage": _RETRY,
    "createToken": _TOKEN,
    "sendMessage": _MESSAGE,
    "sendMessageByCapability": _MESSAGE,
    "approveTools": {"required": True, "content": {"application/json": _ref(ApproveRequest)}},
    "callTool": {"content": {"application/json": _ref(CallRequest)}},
    "addToolServer": _registration("name"),
    "putToolServer": _registration(),
}
_SENDING: Final = ("sendMessage", "sendMessageByCapability")
_PROBLEM: Final[_Json] = {
    "description": "Refused; `code` says why.",
    "content": {"application/problem+json": _ref(ProblemDetails)},
}
_ACCEPTED: Final[_Json] = {
    "description": "Accepted; `Location` leads to what becomes of it.",
    "headers": {"Location": {"schema": {"type": "string"}, "required": True}},
    "content": {"application/json": _ref(MessageAccepted)},
}


def _header(name: str, description: str, **schema: object) -> _Json:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


_SENDING_HEADERS: Final = (
    _header(
        "Idempotency-Key",
        "Makes it harmless to send the same message again.",
        pattern="^[!-~]{1,255}$",
    ),
    _header(
        "Prefer",
        "`respond-async` answers at once with 202; `whole` leaves the pieces out of the events.",
    ),
)


def completed(generated: Mapping[str, Any]) -> _Json:
    """What Litestar generated, with bodies, streams and refusals that it cannot express."""
    document: _Json = copy.deepcopy(dict(generated))
    _, components = msgspec.json.schema_components(
        _STRUCTS, ref_template="#/components/schemas/{name}"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components)
    document["components"]["securitySchemes"] = {"token": _TOKEN_SCHEME}
    document["security"] = [{}, {"token": []}]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _complete(operation)
            _secure(operation, rule_for(method.upper(), _NAME.sub("name", path)))
    return document


def _secure(operation: _Json, rule: Rule) -> None:
    """Say which scope the operation asks for; without any token a server asks for none."""
    if not rule.scopes:
        operation["security"] = []
        needs = "Open to everybody."
    elif rule.scopes == EVERYTHING:
        needs = "Needs a token of any scope."
    else:
        scopes = sorted(scope.value for scope in rule.scopes)
        operation["security"] = [{}, *({"token": [scope]} for scope in scopes)]
        needs = f"Needs the scope {' or '.join(f'`{scope}`' for scope in scopes)}."
    operation["description"] = f"{operation['description'].rstrip()}\n\n{needs}"


def _complete(operation: _Json) -> None:
    name = operation["operationId"]
    operation["summary"] = _SENTENCE.split(operation["description"], maxsplit=1)[0]
    operation["responses"].pop("400", None)
    operation["responses"]["default"] = _PROBLEM
    body = _BODIES.get(name)
    if body is not None:
        operation["requestBody"] = body
    if name == "retryMessage":
        operation["responses"]["202"] = _ACCEPTED
    if name in _SENDING:
        operation.setdefault("parameters", []).extend(_SENDING_HEADERS)
        operation["responses"]["202"] = _ACCEPTED
        operation["responses"]["200"]["content"]["text/event-stream"] = {
            "schema": {"type": "string"}
        }


@final
class DescriptionPlugin(OpenAPIRenderPlugin):
    """Serves the completed description."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)
        self._document: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: _Json) -> bytes:  # noqa: ARG002
        """The description as JSON, made once."""
        if self._document is None:
            self._document = msgspec.json.encode(completed(openapi_schema))
        return self._document


@final
class PagePlugin(OpenAPIRenderPlugin):
    """Serves the page, which reads the description from the same server."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: _Json) -> bytes:  # noqa: ARG002
        """The page; it holds its own style and script."""
        return _page()


@cache
def _page() -> bytes:
    return files(__package__).joinpath("page.html").read_bytes()


@cache
def _policy() -> str:
    """Nothing runs in the page but its own script, and nothing is asked but this server."""
    page = _page()
    hashes = {
        tag: base64.b64encode(hashlib.sha256(_inner(page, tag)).digest()).decode("ascii")
        for tag in (b"script", b"style")
    }
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[b'script']}'; "
        f"style-src 'sha256-{hashes[b'style']}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _inner(page: bytes, tag: bytes) -> bytes:
    return page.partition(b"<" + tag + b">")[2].partition(b"</" + tag + b">")[0]


def _checked(response: Response[Any]) -> Response[Any]:
    """Litestar answers unknown paths beside its pages with a page of its own."""
    if response.status_code == NOT_FOUND:
        raise NotFoundException
    response.headers["content-security-policy"] = _policy()
    return response


def openapi_config(version: str) -> OpenAPIConfig:
    """What Litestar generates the description from."""
    return OpenAPIConfig(
        title=_TITLE,
        version=version,
        description=_ABOUT,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, after_request=_checked
        ),
        render_plugins=[PagePlugin(), DescriptionPlugin()],
        use_handler_docstrings=True,
    )
