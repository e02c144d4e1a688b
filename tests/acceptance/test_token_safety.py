"""A token of the API is seen by whoever shows it, and by nobody else, wherever it was found."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.installation import Installation, installed
from tests.acceptance.test_key_safety import of_processes, written_below

CANARY = "canary-token-1f4b7d2e9c"
SETTINGS = '[providers.play]\nkind = "scripted"\n[logging]\nlevel = "debug"\n'
AGENT = 'name = "talker"\nsystem_prompt = "You talk."\n'
PLACES = ("environment", "file", "settings", "literal", "credential")


def placed(place: str, directory: Path) -> tuple[str, dict[str, str], set[Path]]:
    """The settings, the environment, and the files in which the operator wrote the token."""
    written = {"settings": "${MY_TOKEN}", "literal": CANARY}.get(place)
    settings = f'[server]\ntoken = "{written}"\n{SETTINGS}' if written else SETTINGS
    match place:
        case "environment":
            return settings, {"CAXTON_API_TOKEN": CANARY}, set()
        case "file":
            (directory / "secret").write_text(f"{CANARY}\n")
            path = directory / "secret"
            return settings, {"CAXTON_API_TOKEN_FILE": str(path)}, {path}
        case "settings":
            return settings, {"MY_TOKEN": CANARY}, set()
        case "literal":
            return settings, {}, {directory / "caxton.toml"}
        case _:
            path = directory / "credentials" / "caxton-api-token"
            path.parent.mkdir()
            path.write_text(f"{CANARY}\n")
            return settings, {"CREDENTIALS_DIRECTORY": str(path.parent)}, {path}


def told(server: Installation, shown: dict[str, str]) -> Iterator[str]:
    """Everything that a person and a program are told with the token, a wrong one, and none."""
    commands = (
        ["deploy", "agent.toml"],
        ["send", "talker", "Hello"],
        ["list", "--json"],
        ["config", "show"],
        ["config", "show", "--sources"],
        ["doctor"],
        ["providers", "--json"],
        ["health", "--json"],
        ["server", "status", "--json"],
        ["tokens", "list", "--json"],
        ["show", "talker"],
        ["show", "nobody"],
    )
    for variables in (shown, {"CAXTON_API_TOKEN": CANARY + "x"}):
        for arguments in commands:
            ended = server.run(*arguments, **variables)
            yield ended.out + ended.err
    for path in ("/agents", f"/agents/{CANARY}/x?token=1", "/health"):
        yield json.dumps(server.asked("GET", path).document).replace(f"/agents/{CANARY}", "")


@pytest.mark.parametrize("place", PLACES)
def test_the_token_of_the_server_is_shown_nowhere(tmp_path: Path, place: str) -> None:
    settings, variables, own = placed(place, tmp_path)
    (tmp_path / "agent.toml").write_text(AGENT)
    with installed(tmp_path, settings, **variables) as server:
        shown = {"CAXTON_API_TOKEN": CANARY}
        assert server.run("list", **shown).code == 0
        assert server.asked("GET", "/agents").status == 401
        said = [*told(server, shown)]
        processes = [*of_processes(server.pid)]
        assert psutil.Process(server.pid).rlimit(psutil.RLIMIT_CORE)[0] == 0
    assert any("talker" in text for text in said)
    assert [text for text in (*said, *processes) if CANARY in text] == []
    found = {path for path, text in written_below(tmp_path) if CANARY.encode() in text}
    assert found == own


def test_a_token_that_was_given_out_is_shown_once(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(AGENT)
    with installed(tmp_path, SETTINGS) as server:
        made = server.run("tokens", "create", "boss", "--scope", "admin")
        token = made.out.strip()
        said = [*told(server, {"CAXTON_API_TOKEN": token})]
        wrong = server.asked("GET", f"/agents/{token}")
        processes = [*of_processes(server.pid)]
        copied = server.run("backup", "copy.db", CAXTON_API_TOKEN=token)
        assert copied.code == 0, copied.err
    assert any("talker" in text for text in said)
    assert wrong.status == 401
    assert [text for text in (*said, *processes, str(wrong)) if token in text] == []
    assert [path for path, text in written_below(tmp_path) if token.encode() in text] == []
    log = next(text for path, text in written_below(tmp_path) if path.name == "server.log")
    assert b'"path":"/agents/***"' in log
