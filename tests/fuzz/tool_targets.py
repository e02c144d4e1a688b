"""What tool servers and those who look after them write: messages, results, schemas, files."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from mcp_types import CallToolResult
from pydantic import ValidationError
from returns.result import Failure, Success

from caxton_adapters.mcp.content import text_of
from caxton_adapters.mcp.frames import Frames, FrameTooLong
from caxton_adapters.mcp.importing import imported
from caxton_adapters.mcp.lock_text import read_lock, write_lock
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.schemas import Schema
from caxton_adapters.mcp.stdio import message_of
from caxton_core.agent.policy.file import read_policy
from caxton_core.primitives import PermissionRule
from caxton_core.reading.report import human, machine
from caxton_core.reading.tables import read
from caxton_core.tools.conditions import compiled
from tests.fuzz.target import Target, target

LONGEST: Final = 16_384


def tool_message(data: bytes) -> None:
    """Lines are the same however they arrive, and each is a message or none."""
    assert framed([data]) == framed([data[i : i + 61] for i in range(0, len(data), 61)])


def framed(pieces: list[bytes]) -> object:
    """The messages that the pieces hold, or that a line is too long."""
    frames = Frames(LONGEST)
    try:
        return [message_of(line) for piece in pieces for line in frames.feed(piece)]
    except FrameTooLong:
        return "too long"


def tool_result(data: bytes) -> None:
    """A result becomes text of a length that can be written and shown."""
    try:
        result = CallToolResult.model_validate_json(data)
    except ValidationError:
        return
    text = text_of(result, 1000)
    assert len(text.encode("utf-8")) < 1200
    assert "\x1b" not in text


def tool_schema(data: bytes) -> None:
    """A schema says in bounded time what is wrong with a value, whatever both are."""
    found = _json(data)
    if isinstance(found, dict):
        schema, value = found.get("schema"), found.get("value")
        if isinstance(schema, dict):
            wrong = Schema(schema, "fuzzed").wrong(value)
            assert wrong is None or wrong.encode("utf-8")


def tool_servers(data: bytes) -> None:
    """A file of another client is taken over as far as it can be, or refused in words."""
    taken = imported(data.decode("utf-8", "surrogateescape"))
    if isinstance(taken, Failure):
        assert taken.failure().why
        return
    for table in taken.unwrap().servers.values():
        read(Registration, dict(table))


def tool_lock(data: bytes) -> None:
    """A lock reads as what it says, and is written so that it reads the same, or is refused."""
    found = read_lock(data.decode("utf-8", "surrogateescape"), "caxton.lock")
    if isinstance(found, Success):
        assert read_lock(write_lock(found.unwrap()), "caxton.lock") == found
    else:
        assert human(found.failure()).encode("utf-8", "surrogatepass")


def policy(data: bytes) -> None:
    """A policy is read, or refused in words that can be printed."""
    found = read_policy(data.decode("utf-8", "surrogateescape"))
    if isinstance(found, Failure):
        assert human(found.failure()).encode("utf-8", "surrogatepass")
        json.dumps(machine(found.failure()))


def decision(data: bytes) -> None:
    """What a condition allows it would deny, too: in doubt it allows less and denies more."""
    glob, _, value = data.decode("utf-8", "replace").partition("\n")
    rule = PermissionRule.parse(f"files.read:path={glob}")
    if isinstance(rule, Success):
        condition, arguments = compiled(rule.unwrap()), {"path": value}
        if condition.permits(arguments, {}):
            assert condition.forbids(arguments, {})


def _json(data: bytes) -> Mapping[str, object] | object:
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found


def tool_targets() -> Iterator[Target]:
    """Every parser of what tools and their servers say."""
    yield target(
        "tool_message",
        tool_message,
        '{"jsonrpc":"2.0",',
        '"id":1',
        '"result":{}',
        '"method":"notifications/message"',
        '"error":{"code":-32601,"message":""}',
        "\n",
        "\\ud800",
    )
    yield target(
        "tool_result",
        tool_result,
        '"content":[',
        '{"type":"text","text":"',
        '{"type":"image","data":"","mimeType":"',
        '"structuredContent":{',
        '"isError":true',
        "\\u001b[2J",
    )
    yield target(
        "tool_schema",
        tool_schema,
        '"schema":{',
        '"value":',
        '"$ref":"#"',
        '"allOf":[',
        '"pattern":"(a+)+$"',
        '"patternProperties":{',
        '"type":"object"',
        '"$defs":{',
    )
    yield target(
        "tool_servers",
        tool_servers,
        '"mcpServers":{',
        '"servers":{',
        '"command":"',
        '"args":[',
        '"env":{',
        '"url":"',
        "${env:A}",
        "// ",
    )
    yield target("tool_lock", tool_lock, "[[tool]]\n", "version = 1\n", "hash = ", "parameters = ")
    yield target(
        "policy",
        policy,
        "preset = ",
        "[environments.production]\n",
        "[permissions]\n",
        "[prompts]\n",
        "[limits]\n",
        '"error"',
    )
    yield target(
        "decision", decision, "/srv/**", "https://*.example.org/**", "..", "%2e", "@", "\n"
    )
