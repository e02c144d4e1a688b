"""`caxton tokens`: a token is printed once, works, is listed without itself, and is revoked."""

import json
import os
from pathlib import Path

from tests.cli.command import Shell


def created(shell: Shell, name: str, *options: str, **variables: str) -> str:
    made = shell.run("tokens", "create", name, *options, **variables)
    assert made.code == 0, made.err
    return made.out.strip()


def test_a_token_from_its_creation_to_its_end(running: Shell) -> None:
    boss = {"CAXTON_API_TOKEN": created(running, "boss", "--scope", "admin")}
    refused = running.run("list")
    assert (refused.code, "CX3007" in refused.err) == (5, True)
    shown = created(
        running, "guest", "--scope", "read", "--scope", "message", "--expires", "30d", **boss
    )
    guest = {"CAXTON_API_TOKEN": shown}
    assert running.run("list", **guest).code == 0
    forbidden = running.run("deploy", "talker.toml", **guest)
    assert (forbidden.code, "CX3021" in forbidden.err, "agents:write" in forbidden.err) == (
        5,
        True,
        True,
    )
    listed = running.run("tokens", "list", **boss)
    assert [line.split()[:2] for line in listed.out.splitlines()[1:]] == [
        ["boss", "admin"],
        ["guest", "read"],
    ]
    assert shown not in listed.out
    assert running.run("tokens", "revoke", "guest", **boss).out == "revoked guest\n"
    assert running.run("list", **guest).code == 5


def test_a_token_has_a_rate_of_messages(running: Shell) -> None:
    boss = {"CAXTON_API_TOKEN": created(running, "boss", "--scope", "admin")}
    rate = ("--scope", "message", "--messages-per-minute")
    robot = {"CAXTON_API_TOKEN": created(running, "robot", *rate, "1", **boss)}
    created(running, "free", *rate, "0", **boss)
    assert running.run("deploy", "talker.toml", **boss).code == 0
    assert running.run("send", "talker", "Hello", **robot).code == 0
    refused = running.run("send", "talker", "Hello", **robot)
    assert (refused.code, "CX3027" in refused.err) == (1, True)
    assert "This token may send one message a minute" in refused.err
    assert "try again in" in refused.err
    listed = running.run("tokens", "list", **boss).out.splitlines()
    assert [line.split()[2] for line in listed[1:3]] == ["default", "1"]
    assert "no limit" in listed[3]
    wrong = running.run("tokens", "create", "x", *rate, "-1", **boss)
    assert wrong.code == 2


def test_tokens_outlive_the_server_and_are_nowhere_in_its_files(running: Shell) -> None:
    boss = {"CAXTON_API_TOKEN": created(running, "boss", "--scope", "admin")}
    assert running.run("server", "stop", **boss).code == 0
    assert running.run("server", "start", "--port", "0").code == 0
    assert running.run("list").code == 5
    assert running.run("list", **boss).code == 0
    for folder, _, files in os.walk(running.directory):
        for file in files:
            path = Path(folder, file)
            if path.is_file():
                assert boss["CAXTON_API_TOKEN"].encode() not in path.read_bytes(), path


def test_the_first_token_is_an_administrators(running: Shell) -> None:
    refused = running.run("tokens", "create", "guest", "--scope", "read")
    assert (refused.code, "CX3026" in refused.err) == (1, True)


def test_a_list_for_a_program_is_json(running: Shell) -> None:
    made = json.loads(running.run("tokens", "create", "boss", "--scope", "admin", "--json").out)
    listed = running.run("tokens", "list", "--json", CAXTON_API_TOKEN=made["token"])
    assert [token["name"] for token in json.loads(listed.out)["tokens"]] == ["boss"]
