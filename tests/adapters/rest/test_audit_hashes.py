"""What was replaced by what: every route that changes configuration leaves its hashes."""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias, final

import httpx2
import pytest
from attrs import define, evolve
from returns.result import Success

from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.process.policy_file import read_place
from caxton_adapters.process.policy_place import PolicyPlace
from caxton_adapters.rest.audit import About, Audited
from caxton_adapters.rest.changes import Change
from caxton_adapters.rest.exchange import RequestContext
from caxton_adapters.rest.policies import ReadAgain, Written
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.runtime.policing import Policing
from caxton_adapters.runtime.rulebook import ServerRules
from caxton_adapters.secrets import Secret
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import JsonObject, PermissionRule, ToolName
from caxton_core.tools.pinning import fingerprint
from caxton_core.tools.tool import Tool
from tests.adapters.rest.conftest import GREETER, QUICK, serving
from tests.adapters.rest.lines import Lines
from tests.adapters.rest.test_audit import CHANGING
from tests.fakes import PATH, ToolServersInADict

Hashes: TypeAlias = tuple[object, object]
"""What the line says of before and after."""
OWN: Final = {"authorization": "Bearer own"}
LOUD: Final = GREETER.replace("You greet", "You loudly greet")
READ: Final = Tool(ToolName("files.read"), "About read.", JsonObject.of(PATH))
WRITE: Final = Tool(ToolName("files.write"), "About write.", JsonObject.of(PATH))
CHANGED: Final = evolve(READ, description="Something else.")
FILES: Final = {"command": "mcp-server-files"}
NO_RULES: Final = {"allow": [], "ask": [], "deny": [], "timeout": "1h"}


def sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def of_table(members: Mapping[str, Any]) -> str:
    """As anybody would compute it from what is printed: sorted keys, no spaces."""
    return sha256(json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


@final
@define
class House:
    """A server with everything that can be configured, and what its log says."""

    client: httpx2.AsyncClient
    toolbox: ToolServersInADict
    policy: Path
    log: Lines
    written: list[ServerRules]

    async def asked(self, method: str, path: str, **more: Any) -> Mapping[str, Any]:
        answer = await self.client.request(method, path, headers=OWN, **more)
        assert answer.status_code < 300, answer.text
        document: Mapping[str, Any] = answer.json() if answer.content else {}
        return document

    async def hashes(self, method: str, path: str, **more: Any) -> Hashes:
        """What the one line of a request says of before and after."""
        self.log.lines.clear()
        await self.asked(method, path, **more)
        [facts] = [facts for _, event, facts in self.log.lines if event == "audit.changed"]
        return facts["before"], facts["after"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    policy, toolbox, log = tmp_path / "policy.toml", ToolServersInADict(), Lines()
    policy.write_text('preset = "relaxed"\n')
    place = PolicyPlace(policy)
    held = read_place(place)
    assert isinstance(held, Success)
    written = [ServerRules(Permissions())]
    again = ReadAgain(place, lambda: Success(Written(written[-1], place)))
    tokens = Tokens(Secret("own"), InMemoryTokens(), lambda: datetime.now(UTC))
    async with serving(
        QUICK,
        RestSettings(token=Secret("own")),
        toolbox=toolbox,
        tokens=tokens,
        log=log,
        policing=Policing(held.unwrap(), Facts),
        again=again,
    ) as served:
        yield House(served.client, toolbox, policy, log, written)


async def an_agent_is_deployed(house: House) -> tuple[Hashes, Hashes]:
    told = await house.hashes("POST", "/agents", content=LOUD.replace("greeter", "shouter"))
    shown = await house.asked("GET", "/agents/shouter")
    return told, (None, sha256(shown["config"]))


async def an_agent_is_replaced(house: House) -> tuple[Hashes, Hashes]:
    before = await house.asked("GET", "/agents/greeter")
    told = await house.hashes("PUT", "/agents/greeter", content=LOUD)
    return told, (sha256(before["config"]), sha256(LOUD))


async def an_agent_is_deleted(house: House) -> tuple[Hashes, Hashes]:
    return await house.hashes("DELETE", "/agents/greeter"), (sha256(GREETER), None)


async def a_server_is_registered(house: House) -> tuple[Hashes, Hashes]:
    told = await house.hashes("POST", "/mcp/servers", json={"name": "files", **FILES})
    shown = await house.asked("GET", "/mcp/servers/files")
    return told, (None, of_table(shown["registration"]))


async def a_server_is_replaced(house: House) -> tuple[Hashes, Hashes]:
    await house.toolbox.add("files", FILES)
    slower = {**FILES, "timeout": "30s"}
    told = await house.hashes("PUT", "/mcp/servers/files", json=slower)
    return told, (of_table(FILES), of_table(slower))


async def a_server_is_removed(house: House) -> tuple[Hashes, Hashes]:
    await house.toolbox.add("files", FILES)
    return await house.hashes("DELETE", "/mcp/servers/files"), (of_table(FILES), None)


async def tools_are_approved(house: House) -> tuple[Hashes, Hashes]:
    await house.toolbox.add("files", FILES)
    house.toolbox.offers["files"], house.toolbox.pins = [CHANGED, WRITE], {READ.name: READ}
    told = await house.hashes("POST", "/tools/approve", json={"tools": ["files.*"]})
    shown = await house.asked("GET", "/tools/files.read")
    before = {"files.read": fingerprint(READ).value, "files.write": None}
    return told, (before, {"files.read": shown["hash"], "files.write": fingerprint(WRITE).value})


async def the_policy_is_read_again(house: House) -> tuple[Hashes, Hashes]:
    before = await house.asked("GET", "/policy")
    house.policy.write_text('preset = "strict"\n')
    house.written.append(ServerRules(Permissions(deny=(PermissionRule("files.*"),)), 60))
    told = await house.hashes("POST", "/policy/reload")
    shown, rules = await house.asked("GET", "/policy"), {**NO_RULES, "deny": ["files.*"]}
    return told, (
        {"policy": f"sha256:{before['sha256']}", "permissions": of_table(NO_RULES)},
        {"policy": f"sha256:{shown['sha256']}", "permissions": of_table(rules | {"timeout": "1m"})},
    )


async def a_token_is_created(house: House) -> tuple[Hashes, Hashes]:
    wanted = {"name": "robot", "scopes": ["read", "message"], "messages_per_minute": 5}
    told = await house.hashes("POST", "/tokens", json=wanted)
    return told, (None, await of_token(house))


async def a_token_is_revoked(house: House) -> tuple[Hashes, Hashes]:
    await house.asked("POST", "/tokens", json={"name": "robot", "scopes": ["read"]})
    listed = await of_token(house)
    return await house.hashes("DELETE", "/tokens/robot"), (listed, None)


async def of_token(house: House) -> str:
    [token] = (await house.asked("GET", "/tokens"))["tokens"]
    return of_table({key: token[key] for key in token.keys() - {"expired", "used"}})


HASHED: Mapping[tuple[str, str], Callable[[House], Awaitable[tuple[Hashes, Hashes]]]] = {
    ("POST", "/agents"): an_agent_is_deployed,
    ("PUT", "/agents/nobody"): an_agent_is_replaced,
    ("DELETE", "/agents/nobody"): an_agent_is_deleted,
    ("POST", "/mcp/servers"): a_server_is_registered,
    ("PUT", "/mcp/servers/nobody"): a_server_is_replaced,
    ("DELETE", "/mcp/servers/nobody"): a_server_is_removed,
    ("POST", "/tools/approve"): tools_are_approved,
    ("POST", "/policy/reload"): the_policy_is_read_again,
    ("POST", "/tokens"): a_token_is_created,
    ("DELETE", "/tokens/nobody"): a_token_is_revoked,
}
NO_CONFIGURATION: Final = {
    "it is work": {
        ("POST", "/agents/nobody/message"),
        ("POST", "/capabilities/nobody/message"),
        ("POST", "/messages/nobody/retry"),
        ("DELETE", "/messages/nobody"),
        ("POST", "/tools/nobody"),
        ("POST", "/tools/nobody/call"),
    },
    "it changes how an agent does, not what it is": {
        ("POST", "/agents/nobody/start"),
        ("POST", "/agents/nobody/stop"),
        ("POST", "/agents/nobody/restart"),
    },
    "it answers for one call": {("POST", "/approvals/nobody")},
    "it is content, of which hashes would cost reading all of it": {
        ("POST", "/conversations/nobody/reset"),
        ("DELETE", "/conversations/nobody"),
        ("POST", "/memory/import"),
        ("PUT", "/memory/nobody"),
        ("DELETE", "/memory/nobody"),
        ("DELETE", "/memory"),
    },
    "it looks, and changes nothing": {
        ("POST", "/agents/nobody/why"),
        ("POST", "/mcp/servers/nobody/test"),
        ("POST", "/validate"),
    },
}


def test_every_changing_route_has_hashes_or_a_reason_to_have_none() -> None:
    without = [route for routes in NO_CONFIGURATION.values() for route in routes]
    assert sorted([*HASHED, *without]) == sorted(CHANGING)


@pytest.mark.parametrize("route", HASHED)
async def test_a_change_leaves_hashes_that_anybody_can_compute(
    house: House, route: tuple[str, str]
) -> None:
    told, computed = await HASHED[route](house)
    assert told == computed


async def test_what_was_refused_has_no_hashes(house: House) -> None:
    for method, path in HASHED:
        await house.client.request(method, path, headers=OWN, json={"name": "x"})
    facts = [facts for _, event, facts in house.log.lines if event == "audit.changed"]
    reloaded = [each for each in facts if each["path"] == "/policy/reload"]
    assert len(facts) == len(HASHED)
    assert [each for each in facts if "before" in each] == reloaded


async def test_what_was_imported_is_told_by_its_hash(house: House) -> None:
    line = '{"key": "a", "text": "b"}\n'
    house.log.lines.clear()
    path = "/memory/import?agent=greeter"
    for check in ("&check=true", ""):
        await house.asked("POST", path + check, content=line)
    told = [facts.get("about") for _, _, facts in house.log.lines]
    assert told == [None, [sha256(line)]]


def test_a_line_has_so_many_hashes_as_it_can_hold() -> None:
    log, many = Lines(), {f"files.{number:03}" + "x" * 900: "sha256:" for number in range(150)}
    about = About(change=Change(None, many))
    Audited(log)("POST", "/tools/approve", "10.0.0.9", RequestContext("id", None), 200, about)
    [(_, _, facts)] = log.lines
    assert isinstance(facts["after"], Mapping)
    assert (len(facts["after"]), facts["after"]["..."]) == (101, "and 50 more")
    assert (facts["before"], max(map(len, facts["after"]))) == (None, 500)
