"""STORY-040: tools of servers, as their operator sees them."""

import os
import signal
from pathlib import Path
from typing import Final

from tests.acceptance.criteria import criterion
from tests.acceptance.installation import Installation, installed
from tests.acceptance.tool_servers import (
    called,
    command,
    notes,
    over_http,
    server_table,
    tool_names,
)
from tests.cli.processes import until_told

TOOL_FAILED: Final = "CX4058"
INVALID_BODY: Final = "CX3002"


def connects(server: Installation) -> object:
    return server.asked("GET", "/mcp/servers/one").document["connects"]


@criterion("STORY-040.1")
def test_servers_are_run_as_programs_and_reached_over_http(tmp_path: Path) -> None:
    with over_http() as address, installed(tmp_path, "") as server:
        added = server.run("mcp", "add", "near", "--", *command())
        assert added.code == 0, added.err
        far = server.run("mcp", "add", "far", "--url", address)
        assert far.code == 0, far.err
        for name, transport in (("near", "stdio"), ("far", "http")):
            assert called(server, f"{name}.echo", {"text": "hello"})["text"] == "hello"
            shown = server.asked("GET", f"/mcp/servers/{name}").document
            assert (shown["transport"], shown["state"]) == (transport, "connected")


@criterion("STORY-040.2")
def test_a_tool_is_known_by_its_server_and_called_there_alone(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    settings = server_table("one", f"note={one}") + server_table("two", f"note={two}")
    with installed(tmp_path, settings) as server:
        assert {"one.echo", "two.echo"} <= set(tool_names(server))
        assert called(server, "two.echo", {"text": "hello"})["text"] == "hello"
        assert [line for line in notes(one) if line.startswith("call")] == []
        assert [line.split()[1] for line in notes(two) if line.startswith("call")] == ["echo"]
        unnamed = server.asked("POST", "/tools/echo/call", {})
        assert (unnamed.status, unnamed.document["code"]) == (404, "CX4056")


@criterion("STORY-040.3")
def test_a_call_that_takes_too_long_is_ended_and_its_server_told(tmp_path: Path) -> None:
    note = tmp_path / "note"
    own = '[mcp.servers.one.tools.sleep]\ntimeout = "200ms"\n'
    with installed(tmp_path, server_table("one", f"note={note}") + own) as server:
        late = called(server, "one.sleep", {})
        assert (late["code"], "0.2 s" in str(late["detail"])) == (TOOL_FAILED, True)
        until_told(lambda: "".join(line[:9] for line in notes(note)[-1:]), "cancelled")
        assert called(server, "one.echo", {"text": "on"})["text"] == "on"


@criterion("STORY-040.5")
def test_a_server_that_answers_too_seldom_is_left_alone_for_a_while(tmp_path: Path) -> None:
    note = tmp_path / "note"
    settings = server_table("one", "hang=call", f"note={note}") + 'timeout = "100ms"\n'
    with installed(tmp_path, settings) as server:
        answers = [str(called(server, "one.echo", {"text": "x"})["detail"]) for _ in range(12)]
        assert "0.1 s" in answers[0]
        assert "too often" in answers[-1]
        made = [line for line in notes(note) if line.startswith("call")]
        assert len(made) < len(answers)


@criterion("STORY-040.6")
def test_a_server_that_dies_is_started_again_for_the_next_call(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with installed(tmp_path, server_table("one", f"note={note}")) as server:
        assert called(server, "one.echo", {"text": "first"})["text"] == "first"
        assert connects(server) == 1
        os.kill(int(notes(note)[0].split()[1]), signal.SIGKILL)
        answers = (called(server, "one.echo", {"text": "second"}) for _ in range(10))
        assert any(answer.get("text") == "second" for answer in answers)
        assert connects(server) == 2
        assert server.asked("GET", "/mcp/servers/one").document["state"] == "connected"


@criterion("STORY-040.7")
def test_arguments_that_a_tool_does_not_take_never_reach_it(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with installed(tmp_path, server_table("one", f"note={note}")) as server:
        for wrong in ({}, {"text": 1}):
            refused = called(server, "one.echo", wrong)
            assert (refused["code"], "text" in str(refused["detail"])) == (INVALID_BODY, True)
        assert [line for line in notes(note) if line.startswith("call")] == []


@criterion("STORY-040.7")
def test_a_result_that_is_not_what_its_tool_promised_is_none(tmp_path: Path) -> None:
    with installed(tmp_path, server_table("one")) as server:
        assert "3" in str(called(server, "one.add", {"sum": 3})["text"])
        assert called(server, "one.add", {"sum": "three"})["code"] == TOOL_FAILED
