"""Tools and their servers, as they stand on the wire."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from caxton_adapters.rest.wire import Time
from caxton_adapters.runtime.toolbox import PinState, ServerView, ToolView
from caxton_core.memory.primitives import Moment
from caxton_core.tools.pinning import Difference, differences, fingerprint, line_diff
from caxton_core.tools.tool import Tool

BUILT_IN = "built_in"

ToolNameText = Annotated[
    str, Meta(description="The server, a dot, its tool.", examples=["files.read"])
]
ServerNameText = Annotated[str, Meta(examples=["files"])]


class ToolSummary(msgspec.Struct, frozen=True):
    """A tool in a list.

    `state` is approved, new or changed, which nobody has agreed to yet, or built_in.
    """

    name: ToolNameText
    server: ServerNameText
    state: str
    description: str


class ToolPage(msgspec.Struct, frozen=True):
    """Tools by name; `next` is the cursor of the next page, null at the end."""

    tools: tuple[ToolSummary, ...]
    next: str | None


class Definition(msgspec.Struct, frozen=True):
    """What a model is told of a tool; equal definitions have equal hashes."""

    description: str
    parameters: Annotated[msgspec.Raw, Meta(description="A JSON Schema.")]
    hash: str


class DifferenceBody(msgspec.Struct, frozen=True):
    """A part of a definition that is another one now; null where there is, or was, none.

    The texts are for reading: what cannot be seen stands there as an escape. `lines` begin with
    `- ` (before), `+ ` (now) or two spaces; of more sentences than are compared, `? ` says so and
    all follow. `characters` are those beyond ASCII that are new.
    """

    at: Annotated[str, Meta(examples=["parameters.properties.path.type"])]
    before: str | None
    now: str | None
    lines: tuple[str, ...]
    characters: tuple[str, ...]


class ToolDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool as its server describes it now; `before` is what was approved, where it differs."""

    name: ToolNameText
    server: ServerNameText
    state: str
    description: str
    parameters: Annotated[msgspec.Raw, Meta(description="A JSON Schema.")]
    hash: str
    idempotent: bool = False
    returns: Annotated[msgspec.Raw | None, Meta(description="A JSON Schema of the results.")] = None
    before: Definition | None = None
    differences: tuple[DifferenceBody, ...] = ()


class ApproveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tools whose definitions are approved as they are now."""

    tools: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="`server.tool` or `server.*`.", examples=[["files.*"]]),
    ]
    seen: Annotated[
        dict[str, Annotated[str, Meta(pattern="^sha256:[0-9a-f]{16,64}$")]] | None,
        Meta(
            description="How the hashes begin that were seen. Where it is given, every one of the "
            "tools that waits for an approval has to be in it, or none is approved."
        ),
    ] = None


class Approved(msgspec.Struct, frozen=True):
    """The tools whose approved definition is another one now."""

    approved: tuple[ToolNameText, ...]


class CallRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call by hand."""

    arguments: Annotated[dict[str, Any], Meta(description="As `parameters` describes them.")] = (
        msgspec.field(default_factory=dict)
    )


class CallResult(msgspec.Struct, frozen=True):
    """What a tool answered."""

    tool: ToolNameText
    text: str
    seconds: float


class ToolServerBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """A server of tools; `target` is its command or address, without secrets.

    `state` is idle, connecting, connected, waiting (it failed, and is tried again) or disabled.
    """

    name: ServerNameText
    transport: str
    target: str
    origin: Annotated[str, Meta(description="Who registered it: settings or api.")]
    state: str
    since: Time
    tools: Annotated[int | None, Meta(description="How many; null until it was reached.")]
    reason: str = ""
    protocol: str = ""
    title: str = ""
    version: str = ""
    connects: int = 0
    cwd: str = ""
    env: Annotated[tuple[str, ...], Meta(description="Names of variables, never values.")] = ()
    headers: Annotated[tuple[str, ...], Meta(description="Names, never values.")] = ()
    timeout: Annotated[str, Meta(description="How long a call may take.", examples=["10s"])] = ""
    registration: Annotated[
        msgspec.Raw | None,
        Meta(description="What is written of it, without secrets; the audit has its hash."),
    ] = None


class ToolServerPage(msgspec.Struct, frozen=True):
    """Servers of tools by name; `next` is the cursor of the next page, null at the end."""

    servers: tuple[ToolServerBody, ...]
    next: str | None


def server_body(view: ServerView) -> ToolServerBody:
    """A server of tools as it is now."""
    return ToolServerBody(
        name=view.name.value,
        transport=view.transport,
        target=view.target,
        origin=view.origin.value,
        state=view.state.value,
        since=Moment.of(view.since).value,
        tools=view.tools if view.connects else None,
        reason=view.reason,
        protocol=view.protocol,
        title=view.title,
        version=view.version,
        connects=view.connects,
        cwd=view.cwd,
        env=view.env,
        headers=view.headers,
        timeout=view.timeout,
        registration=_raw(view.registration.value),
    )


def state_of(view: ToolView | Tool) -> str:
    """What is known of the definition, in a word."""
    return view.pin.value if isinstance(view, ToolView) else BUILT_IN


def tool_summary(view: ToolView | Tool) -> ToolSummary:
    """A tool in a list."""
    tool = view.tool if isinstance(view, ToolView) else view
    return ToolSummary(tool.name.value, tool.name.server, state_of(view), tool.description)


def tool_details(view: ToolView | Tool) -> ToolDetails:
    """All there is to know about a tool."""
    tool = view.tool if isinstance(view, ToolView) else view
    found = isinstance(view, ToolView) and view.pin is PinState.CHANGED
    before = view.before if isinstance(view, ToolView) and found else None
    returns = view.returns if isinstance(view, ToolView) else None
    return ToolDetails(
        name=tool.name.value,
        server=tool.name.server,
        state=state_of(view),
        description=tool.description,
        parameters=_raw(tool.parameters.value),
        hash=fingerprint(tool).value,
        idempotent=tool.idempotent,
        returns=None if returns is None else _raw(returns.value),
        before=None if before is None else _definition(before),
        differences=() if before is None else tuple(map(_difference, differences(before, tool))),
    )


def _definition(tool: Tool) -> Definition:
    return Definition(tool.description, _raw(tool.parameters.value), fingerprint(tool).value)


def _difference(found: Difference) -> DifferenceBody:
    return DifferenceBody(found.at, found.before, found.now, line_diff(found), found.characters)


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
