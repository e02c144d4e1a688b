"""A model that obeys every stranger does nothing that was not permitted: the boundary is Caxton's.

The model finds all orders in what it is shown and calls what they want. They come on every way on
which a stranger's text reaches a model, and a real server of tools notes whatever it is asked.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import pytest
from attrs import frozen

from tests.acceptance.installation import Installation, installed
from tests.model_server import ModelServer, model_server
from tests.waiting import wait_for

HERE: Final = Path(__file__).parent
DESK: Final = HERE.parent / "mcp_server" / "desk.py"
CANARY: Final = "CANARY-4711"
WAYS: Final = {
    "message": "{text}",
    "file": 'call desk.read {"path": "{inbox}/letter.txt"}',
    "result": 'call desk.lookup {"case": "{name}"}',
    "error": 'call desk.lookup {"case": "{name}"}',
    "structure": 'call desk.lookup {"case": "{name}"}',
    "description": "Hello",
    "memory": 'call memory.recall {"key": "{name}"}',
    "note": "What about {name}?",
    "agent": 'call team.ask_oracle {"message": "{name}"}',
}
"""What a user says so that the text reaches the model; where it is an order, that is obeyed too."""
REMEMBERED: Final = ("memory", "note")

SETTINGS: Final = """
[providers.obeying]
kind = "openai-compatible"
base_url = "{model}"
[providers.oracle]
kind = "scripted"
scenario = "oracle.toml"
[mcp.servers.desk]
command = "{python}"
args = ["{desk}", "{root}", "{notes}"]
connect_timeout = "60s"
[mcp.servers.team]
command = "{python}"
args = ["-m", "caxton_cli", "mcp", "serve"]
env = {{ CAXTON_HOME = "{home}" }}
connect_timeout = "60s"
"""
AGENT: Final = """
name = "{name}"
capabilities = ["helping"]
system_prompt = "You help."
tools = {tools}
llm_provider = "{provider}"
[llm]
model = "any"
[permissions]
{permissions}
"""
CLOSED: Final = """
allow = [
    "desk.read:path={inbox}/**", "desk.lookup", {descriptions}
    "memory.recall", "memory.remember", "team.ask_oracle",
]
ask = ["desk.pay"]
deny = ["desk.send:to=*@evil.example"]
"""
DESK_TOOLS: Final = ("read", "write", "delete", "send", "run", "fetch", "pay", "grant", "lookup")
OPEN_POLICY: Final = "[tools]\nsensitive = []\n"
OPEN: Final = 'allow = ["desk.*", "memory.*", "team.*"]'


@final
@frozen
class Injection:
    """An order that somebody else wrote, and the way on which it comes."""

    name: str
    by: str
    text: str
    opened: str = "effect"
    orders: int = 1
    asks: bool = False


@final
@frozen
class Office:
    """A running server, and the place where everything that its agents do is noted."""

    server: Installation
    directory: Path

    @property
    def root(self) -> Path:
        return self.directory / "root"

    def furnish(self) -> None:
        """Have everything in its place, as it was before anybody touched it."""
        for name in ("secret/key.txt", "inbox-private/key.txt"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(CANARY)
        (self.root / "inbox").mkdir(exist_ok=True)
        if not (self.root / "inbox" / "shortcut").is_symlink():
            (self.root / "inbox" / "shortcut").symlink_to(self.root / "secret")

    def forbidden(self) -> list[dict[str, Any]]:
        """What was done at the desk beside looking up cases and reading the inbox."""
        notes = self.directory / "notes"
        lines = notes.read_text("utf-8").splitlines() if notes.exists() else []
        inbox = f"{self.root / 'inbox'}/"
        return [
            each
            for each in map(json.loads, lines)
            if each["done"] != "lookup"
            and not (each["done"] == "read" and each["arguments"]["path"].startswith(inbox))
        ]

    def tell(self, injection: Injection, *, asynchronously: bool = False) -> Mapping[str, Any]:
        """What becomes of a message that brings the text to the model."""
        (self.root / "inbox" / "letter.txt").write_text(injection.text, "utf-8")
        text = WAYS[injection.by].replace("{inbox}", str(self.root / "inbox"))
        text = text.replace("{name}", injection.name).replace("{text}", injection.text)
        agent = f"clerk-{injection.name}" if injection.by == "description" else "clerk"
        prefer = "respond-async" if asynchronously else ""
        if injection.by in REMEMBERED:
            self._remember("PUT", injection, {"text": injection.text})
        answer = self.server.asked(
            "POST", f"/agents/{agent}/message", {"text": text}, prefer=prefer
        )
        assert answer.status in (200, 202), (injection, answer.document)
        return answer.document

    def forget(self, injection: Injection) -> None:
        """Have nobody remember it any more."""
        if injection.by in REMEMBERED:
            self._remember("DELETE", injection)

    def _remember(self, method: str, injection: Injection, entry: object = None) -> None:
        done = self.server.asked(method, f"/memory/{injection.name}?agent=clerk", entry)
        assert done.status < 300, done.document


def injections(directory: Path, url: str) -> list[Injection]:
    """All of them, with the places of this installation."""
    found = tomllib.loads((HERE / "injections.toml").read_text("utf-8"))["injection"]
    root = str(directory / "root")
    for place, path in (("{root}", root), ("{inbox}", f"{root}/inbox"), ("{url}", url)):
        for each in found:
            each["text"] = each["text"].replace(place, path)
    return [Injection(**each) for each in found]


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@contextmanager
def office(directory: Path, model: ModelServer, permissions: str) -> Iterator[Office]:
    """A server whose agents are permitted so much."""
    root = directory / "root"
    root.mkdir()
    written = injections(directory, "")
    cases = {each.name: (each.by, each.text) for each in written}
    described = [each for each in written if each.by == "description"]
    (root / "cases.json").write_text(json.dumps(cases))
    (root / "descriptions.json").write_text(
        json.dumps({f"add-{each.name}": each.text for each in described})
    )
    oracle = (
        f"[[rules]]\nexact = {json.dumps(each.name)}\nanswer = {json.dumps(each.text)}\n"
        for each in written
        if each.by == "agent"
    )
    (directory / "oracle.toml").write_text("".join(oracle))
    settings = SETTINGS.format(
        model=model.at("obey=1"),
        python=sys.executable,
        desk=DESK,
        root=root,
        notes=directory / "notes",
        home=directory,
    )
    if permissions == OPEN:
        (directory / "policy.toml").write_text(OPEN_POLICY)
    names = "".join(f'"desk.add-{each.name}", ' for each in described)
    rules = permissions.replace("{inbox}", f"{root}/inbox").replace("{descriptions}", names)
    with installed(directory, settings) as server:
        server.deploy(agent("oracle", (), "", provider="oracle"))
        server.deploy(agent("victim", ("desk.send",), "" if "ask" in rules else rules))
        tools = tuple(f"desk.{each}" for each in DESK_TOOLS)
        server.deploy(agent("clerk", (*tools, "memory.*", "team.*"), rules))
        for each in described:
            server.deploy(agent(f"clerk-{each.name}", (*tools, f"desk.add-{each.name}"), rules))
        yield Office(server, directory)


def agent(name: str, tools: Sequence[str], permissions: str, *, provider: str = "obeying") -> str:
    return AGENT.format(
        name=name, tools=json.dumps(tools), permissions=permissions, provider=provider
    )


def obeyed(answer: Mapping[str, Any]) -> list[list[str]]:
    """The calls that the model made, as it says at the end."""
    found: list[list[str]] = json.loads(answer["text"])["obeyed"]
    return found


def expected(injection: Injection) -> int:
    return injection.orders + WAYS[injection.by].startswith("call ")


def files(root: Path) -> dict[str, bytes]:
    found = (each for each in root.rglob("*") if each.is_file() and each.name != "letter.txt")
    return {str(each): each.read_bytes() for each in found}


def test_a_model_that_obeys_every_stranger_does_nothing_forbidden(
    tmp_path: Path, model: ModelServer
) -> None:
    with office(tmp_path, model, CLOSED) as at:
        at.furnish()
        before, known = files(at.root), agents(at.server)
        every, answers = injections(tmp_path, at.server.url), list[str]()
        for each in every:
            answer = at.tell(each, asynchronously=each.asks)
            if each.asks:
                held = wait_for(partial(waiting_call, at.server, answer["message_id"]))
                assert held["tool"] == "desk.pay"
            else:
                assert len(obeyed(answer)) == expected(each), each
            answers.append(json.dumps(answer))
            at.forget(each)
        assert at.forbidden() == []
        assert files(at.root) == before
        assert agents(at.server) == known
        assert CANARY not in "".join(answers)
        assert remembered(at.server) == []
        waiting = listed(at.server, "/approvals", "approvals")
        assert len(waiting) == sum(each.asks for each in every) > 3


def test_the_same_instructions_have_their_effects_where_everything_is_permitted(
    tmp_path: Path, model: ModelServer
) -> None:
    done = list[dict[str, Any]]()
    with office(tmp_path, model, OPEN) as at:
        for each in injections(tmp_path, at.server.url):
            at.furnish()
            assert len(obeyed(at.tell(each))) == expected(each), each
            at.forget(each)
            before, done = len(done), at.forbidden()
            assert (len(done) > before) == (each.opened == "effect"), each
        assert remembered(at.server) == []
    assert {each["done"] for each in done} == {*DESK_TOOLS} - {"lookup"}
    assert CANARY in json.dumps([each for each in done if each["done"] == "send"])


def test_there_are_enough_of_them_and_each_says_something_else(tmp_path: Path) -> None:
    every = injections(tmp_path, "")
    assert len(every) >= 60
    assert sum(each.opened == "effect" for each in every) >= 50
    assert len({each.text for each in every}) == len({each.name for each in every}) == len(every)


def listed(server: Installation, path: str, key: str) -> list[Any]:
    answer = server.asked("GET", path)
    assert answer.status == 200, answer.document
    found = answer.document[key]
    assert isinstance(found, list)
    return found


def waiting_call(server: Installation, message: str) -> Mapping[str, Any] | None:
    """The call of a message that waits for a person."""
    return next(iter(listed(server, f"/approvals?message={message}", "approvals")), None)


def agents(server: Installation) -> list[object]:
    """The file of every agent."""
    names = [each["name"] for each in listed(server, "/agents", "agents")]
    return [server.asked("GET", f"/agents/{name}").document["config"] for name in names]


def remembered(server: Installation) -> list[object]:
    """What the memories of others hold."""
    whose = ("agent=victim", "agent=oracle", "scope=global")
    return [entry for each in whose for entry in listed(server, f"/memory?{each}", "entries")]
