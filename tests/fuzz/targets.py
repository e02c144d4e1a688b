"""Every parser that reads what somebody else wrote.

A new one is added here, with a folder of samples in `corpus/`: at least one good input, and the
hostile ones that its author knows of.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx2
import msgspec
from returns.result import Failure, Success

from caxton_adapters.client.events import NamedEvents
from caxton_adapters.http_client.incoming import Incoming
from caxton_adapters.http_client.limits import Limits
from caxton_adapters.mcp.oauth.loopback import Loopback
from caxton_adapters.process import pid_file
from caxton_adapters.providers.openai.answers import Assembly, completion
from caxton_adapters.providers.openai.decoding import Reader
from caxton_adapters.providers.openai.failures import refusal
from caxton_adapters.providers.openai.sse import EventReader, EventTooLarge
from caxton_adapters.providers.openai.wire import ChatResponse
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.rest.archive_wire import RetryRequest
from caxton_adapters.rest.body import read_json
from caxton_adapters.rest.memory import _lines
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.token_wire import TokenRequest
from caxton_adapters.rest.wire import DeployRequest, MessageRequest
from caxton_adapters.settings.written import SettingsFile
from caxton_core.agent.toml import read_agent, write_agent
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.model import ModelRequest
from caxton_core.egress import destination
from caxton_core.memory.entry import Everybody
from caxton_core.memory.written import line_of, read_line
from caxton_core.primitives import JsonObject, PermissionRule, ToolName, ToolPattern
from caxton_core.problems import Problem
from caxton_core.reading.report import human, machine, report
from caxton_core.reading.tables import read
from caxton_core.reading.toml_text import decoded, parse_toml
from tests.fuzz.heads import server_for_heads
from tests.fuzz.target import Target, target
from tests.fuzz.tool_targets import tool_targets

NOW: Final = datetime(2026, 11, 28, tzinfo=UTC)
ASKED: Final = ModelRequest((UserMessage("Hello"),))

_answers: Final = Reader(ChatResponse)
_BODIES: Final = tuple(
    msgspec.json.Decoder(kind) for kind in (MessageRequest, DeployRequest, TokenRequest)
)
_RETRY: Final = msgspec.json.Decoder(RetryRequest)


def text_of(data: bytes) -> str:
    """The input as a text, which may hold halves of characters."""
    return data.decode("utf-8", "surrogateescape")


def agent(data: bytes) -> None:
    """An agent file is read, or refused in words that can be printed."""
    result = read_agent(text_of(data))
    if isinstance(result, Failure):
        told = human(result.failure())
        assert told.encode("utf-8", "surrogatepass")
        json.dumps(machine(result.failure()))
        return
    written = write_agent(result.unwrap().config)
    again = read_agent(written)
    assert not isinstance(again, Failure), written
    assert again.unwrap().config == result.unwrap().config


def settings(data: bytes) -> None:
    """A settings file is read, or refused in words."""
    text = decoded(data)
    if isinstance(text, Failure):
        assert human(report((text.failure(),), "", "caxton.toml"))
        return
    table = parse_toml(text.unwrap())
    problems: tuple[Problem, ...] = (table.failure(),) if isinstance(table, Failure) else ()
    if isinstance(table, Success):
        result = read(SettingsFile, table.unwrap())
        problems = result.failure() if isinstance(result, Failure) else ()
    assert human(report(problems, text.unwrap(), "caxton.toml")) or not problems


def scenario(data: bytes) -> None:
    """A scenario is read, or refused in words."""
    text = text_of(data)
    result = read_scenario(text)
    if isinstance(result, Failure):
        assert human(report(result.failure(), text, "scenario.toml"))


def answer(data: bytes) -> None:
    """An answer of a service is one, or is malformed; a refusal always means something."""
    for status in (400, 429, 500):
        repr(refusal(status, data, "model", None, None))
    try:
        response = _answers.read(data)
    except msgspec.DecodeError:
        return
    told = completion(response, ASKED, "model")
    if isinstance(told, Success):
        told.unwrap().text.encode()


def stream(data: bytes) -> None:
    """A stream of events means the same however it is cut, and always comes to an end."""
    assert streamed([data]) == streamed([data[i : i + 61] for i in range(0, len(data), 61)])


def streamed(pieces: list[bytes]) -> object:
    """The answer that the pieces hold, or the name of what is wrong with them."""
    reader, assembly = EventReader(), Assembly(ASKED, "model")
    try:
        for piece in pieces:
            for event in reader.feed(piece):
                assembly.take(_answers.read(event))
    except msgspec.DecodeError:
        return "malformed"
    except EventTooLarge:
        return "too large"
    return assembly.answer()


def own_stream(data: bytes) -> None:
    """The client's reader of our own events takes them from any pieces."""
    try:
        whole = list(NamedEvents().feed(data))
    except UnicodeDecodeError:
        return  # a server of ours writes UTF-8
    reader = NamedEvents()
    assert [e for i in range(0, len(data), 61) for e in reader.feed(data[i : i + 61])] == whole


def response(data: bytes) -> None:
    """A response of a service is complete, or has a reason why not, within its limits."""
    incoming = Incoming(Limits(framing=4096, body=16_384))
    incoming.expect()
    for start in range(0, len(data), 512):
        incoming.feed(memoryview(data)[start : start + 512])
        assert incoming.unread <= 16_384 + 512
        if incoming.failure is not None:
            return  # then the connection is closed
    incoming.end("gone")
    assert incoming.done or incoming.failure is not None


def body(data: bytes) -> None:
    """The body of a request is read, or refused with a code."""
    for decoder in _BODIES:
        result = read_json(decoder, data)
        if isinstance(result, Failure):
            assert isinstance(result.failure(), Refused)
            msgspec.json.encode(result.failure().errors)
    result = read_json(_RETRY, data)
    assert not isinstance(result, Failure) or result.failure().code


def memory(data: bytes) -> None:
    """Each line of an import is an entry, which would be written as it was read, or is refused."""
    for _, line in _lines(data, lambda members: read_line(members, owner=Everybody(), now=NOW)):
        if isinstance(line, Failure):
            assert line.failure().code
            continue
        entry, relations = line.unwrap().entry, line.unwrap().relations
        again = read_line(line_of(entry, relations), owner=Everybody(), now=NOW)
        assert not isinstance(again, Failure)
        assert again.unwrap().entry == entry


def arguments(data: bytes) -> None:
    """Arguments of a call are an object in one spelling, or none."""
    result = JsonObject.parse(text_of(data))
    if isinstance(result, Success):
        value = result.unwrap()
        again = JsonObject.parse(value.value)
        assert again == Success(value)
        assert JsonObject.of(value.members()) == value


def permission(data: bytes) -> None:
    """A permission names tools, and what it names does not change when it is written down."""
    text = text_of(data)
    rule = PermissionRule.parse(text)
    if isinstance(rule, Success):
        one = rule.unwrap()
        assert one.tool.covers(one.tool)
        condition = one.condition
        parts = "" if condition is None else ":{}={}".format(*condition)
        assert PermissionRule.parse(one.tool.value + parts) == rule
    for kind in (ToolPattern, ToolName):
        named = kind.parse(text)
        if isinstance(named, Success):
            assert not isinstance(PermissionRule.parse(named.unwrap().value), Failure)


def address(data: bytes) -> None:
    """An address is read as the HTTP client reads it, or not at all."""
    text = text_of(data)
    read = destination(text)
    if isinstance(read, Failure):
        return
    to = read.unwrap()
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        return
    assert url.raw_host.decode("ascii").lower() == to.host
    assert (url.port or {"http": 80, "https": 443}[url.scheme]) == to.port
    assert not url.userinfo


def returned(data: bytes) -> None:
    """A request to the port of a login is the awaited one, or none."""
    waiting = Loopback()
    waiting.begin("https://login.example.org/?state=secret")
    assert not waiting.take(data) or b"secret" in data


def claimed(data: bytes) -> None:
    """What stands in a PID file is an owner or nothing."""
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp")
    folder = path / "caxton-fuzz"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / pid_file.FILE_NAME).write_bytes(data)
    assert isinstance(pid_file.read(folder), pid_file.Owner | None)


def _targets() -> Iterator[Target]:
    yield target(
        "agent",
        agent,
        "name",
        "[llm]\n",
        "[memory]\n",
        "[permissions]\n",
        "tools",
        '"""',
        "'''",
        " = ",
        "[[",
        "a.b.",
        "system_prompt",
        "capabilities = [",
        "{a={",
        "1979-05-27T07:32:00Z",
    )
    yield target(
        "settings",
        settings,
        "[providers.x]\n",
        "[server]\n",
        "[limits]\n",
        "base_url",
        "api_key",
        "kind",
        '"30s"',
        "{a={",
        "a.b.",
        "${A}",
        "[[",
        largest=300 * 1024,
    )
    yield target(
        "scenario", scenario, "[[rules]]\n", "matches", "answer", "fail", "(a+)+$", "{{a}}"
    )
    yield target(
        "answer",
        answer,
        '"choices"',
        '"message"',
        '"content"',
        '"tool_calls"',
        '"usage"',
        '"error"',
    )
    yield target(
        "stream", stream, "data: ", "\n\n", "\r", "[DONE]", '"delta"', '"index"', ":", "event: "
    )
    yield target("own_stream", own_stream, "data: ", "event: ", "\n\n", ": ")
    yield target(
        "response",
        response,
        "HTTP/1.1 200 OK\r\n",
        "content-length: ",
        "transfer-encoding: chunked\r\n",
        "\r\n\r\n",
        "ffffffffffffffff\r\n",
        "0\r\n\r\n",
        "content-encoding: gzip\r\n",
    )
    yield target("body", body, '"text"', '"config"', '"name"', '"scopes"', '"results"', '{"text":')
    yield target("memory", memory, '"key"', '"text"', '"relations"', '"valid_to"', "\n", '"value"')
    yield target("arguments", arguments, '{"a":', "1.0", "1e400", "-0", '"a"', "[")
    yield target("permission", permission, "files.", ".*", ":path=", "**", "*", "=", "[!", "..")
    yield target(
        "address", address, "https://", "http://", "[::1]", "@", ":80", "0x7f.1", "\\", "%2e", ".."
    )
    yield target("returned", returned, "GET ", "/callback?", "state=", "secret", "&", " HTTP/1.1")
    yield target("pid_file", claimed, '"pid"', '"url"', '"version"', '"started"')
    yield Target(
        "head",
        server_for_heads,
        (
            b"GET ",
            b" HTTP/1.1\r\n",
            b"host: localhost\r\n",
            b"content-length: ",
            b"transfer-encoding: chunked\r\n",
            b"\r\n\r\n",
            b"http://",
            b"upgrade: h2c\r\nconnection: upgrade\r\n",
            b"expect: 100-continue\r\n",
            b"authorization: Bearer ",
            b"/agents/",
            b"%00",
            b"HTTP/0.9",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ),
    )


TARGETS: Final = {each.name: each for each in (*_targets(), *tool_targets())}
