"""The log tells what was replaced by what, and a second person comes to the same hashes."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.cli.command import Shell
from tests.cli.processes import log_of, until_told


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def of_table(table: Mapping[str, object]) -> str:
    """As the guide says: JSON with sorted keys and no spaces, in UTF-8."""
    text = json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode())


def changes(shell: Shell, path: str) -> str:
    """Before and after, in each line about the path."""
    found = (line for line in log_of(shell) if line.get("path") == path)
    return str([(line.get("before"), line.get("after")) for line in found])


def test_an_agent_in_the_log_is_the_file_that_was_deployed(running: Shell) -> None:
    file = running.directory / "talker.toml"
    first = sha256(file.read_bytes())
    assert running.run("deploy", "talker.toml").code == 0
    shown = running.run("show", "talker", "--config").out
    assert sha256(shown.encode()) == first
    running.write("talker.toml", file.read_text() + "\n# Grüße\n")
    second = sha256(file.read_bytes())
    assert running.run("deploy", "talker.toml").code == 0
    assert running.run("delete", "talker", "--yes").code == 0
    until_told(partial(changes, running, "/agents"), str([(None, first), (None, None)]))
    until_told(partial(changes, running, "/agents/talker"), str([(first, second), (second, None)]))


def test_a_server_of_tools_in_the_log_is_the_one_that_is_shown(running: Shell) -> None:
    added = running.run("mcp", "add", "files", "--env", "API_KEY=secret-4711", "--", "true", "x")
    assert added.code == 0, added.err
    shown = json.loads(running.run("mcp", "show", "files", "--json").out)
    assert "secret-4711" not in str(shown)
    assert running.run("mcp", "remove", "files", "--yes").code == 0
    hashed = of_table(shown["registration"])
    until_told(partial(changes, running, "/mcp/servers/files"), str([(hashed, None)]))
    log = Path(running.directory / "data" / "server.log").read_text()
    assert hashed in log
    assert "secret-4711" not in log


def test_a_token_in_the_log_is_the_one_that_is_listed(running: Shell) -> None:
    made = running.run("tokens", "create", "boss", "--scope", "admin")
    boss = {"CAXTON_API_TOKEN": made.out.strip()}
    [token] = json.loads(running.run("tokens", "list", "--json", **boss).out)["tokens"]
    hashed = of_table({key: token[key] for key in token.keys() - {"expired", "used"}})
    assert running.run("tokens", "revoke", "boss", **boss).code == 0
    until_told(partial(changes, running, "/tokens"), str([(None, hashed)]))
    until_told(partial(changes, running, "/tokens/boss"), str([(hashed, None)]))


def test_rules_in_the_log_are_the_settings_that_are_shown(running: Shell) -> None:
    settings = running.directory / "caxton.toml"
    settings.write_text(settings.read_text() + '[permissions]\ndeny = ["files.*"]\n')
    assert running.run("policy", "reload").code == 0
    shown = json.loads(running.run("config", "show", "--json").out)
    rules = {
        key.removeprefix("permissions."): each["value"]
        for each in shown
        if (key := each["key"]).startswith("permissions.")
    }
    none = of_table({**rules, "deny": []})
    before = {"permissions": none, "policy": None}
    after = {"permissions": of_table(rules), "policy": None}
    until_told(partial(changes, running, "/policy/reload"), str([(before, after)]))
