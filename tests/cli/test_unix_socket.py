"""Commands that reach the server through its UNIX socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import issued
from tests.cli.command import Shell
from tests.cli.processes import family_of, foreground, owner, until_gone

TOKEN = {"CAXTON_API_TOKEN": "a-token-of-the-settings"}


def file_of(shell: Shell) -> Path:
    return shell.directory / "data" / "caxton.sock"


@pytest.fixture
def local(configured: Shell) -> Iterator[Shell]:
    """A shell whose server answers at a UNIX socket in its data directory."""
    started = configured.run("server", "start", "--port", "0", "--unix-socket", "caxton.sock")
    assert started.code == 0, started.err
    yield configured
    assert configured.run("server", "stop", "--force").code in (0, 3)


def test_a_message_is_answered_through_the_socket(local: Shell) -> None:
    url = f"unix://{file_of(local)}"
    assert file_of(local).stat().st_mode & 0o777 == 0o600
    assert local.run("deploy", "talker.toml", "--url", url).code == 0
    said = local.run("send", "talker", "hello", CAXTON_URL=url)
    assert (said.code, said.out) == (0, "You said: hello\n")
    assert local.run("health", "--ready", "--url", url).out == "pass\n"
    for status in (
        local.run("server", "status", "--url", url),
        local.run("server", "status", CAXTON_URL=url),
    ):
        assert (status.code, url in status.out) == (0, True)


def test_commands_of_the_machine_find_the_socket_by_themselves(configured: Shell) -> None:
    files = issued(configured.directory, "caxton.example.org")
    where = "--port", "0", "--unix-socket", "caxton.sock"
    assert configured.run("server", "start", *where, *files.flags()).code == 0
    assert configured.run("list").code == 0
    status = configured.run("server", "status")
    assert (status.code, f"running at {owner(configured)['url']}" in status.out) == (0, True)
    assert configured.run("server", "status", "--data-dir", "data").code == 0
    assert configured.run("list", "--url", str(owner(configured)["url"])).code == 3
    assert configured.run("server", "stop").code == 0
    assert not file_of(configured).exists()


def test_the_socket_asks_for_the_token_as_the_port_does(configured: Shell) -> None:
    where = "--port", "0", "--unix-socket", "caxton.sock"
    assert configured.run("server", "start", *where, **TOKEN).code == 0
    url = f"unix://{file_of(configured)}"
    assert configured.run("list", "--url", url).code == 5
    assert configured.run("list", "--url", url, **TOKEN).code == 0
    assert configured.run("server", "stop").code == 0


def test_the_socket_of_a_server_that_was_killed_is_replaced(configured: Shell) -> None:
    flags = "--unix-socket", "caxton.sock"
    with foreground(configured, *flags) as process:
        family = family_of(process.pid)
        process.kill()
        process.communicate()
        until_gone(family)
    assert file_of(configured).is_socket()
    assert configured.run("list", "--url", f"unix://{file_of(configured)}").code == 3
    assert configured.run("server", "start", "--port", "0", *flags).code == 0
    assert configured.run("list").code == 0
    assert configured.run("server", "stop").code == 0
    assert not file_of(configured).exists()


def test_the_socket_of_a_server_that_lives_is_not_taken(local: Shell) -> None:
    other = "--port", "0", "--data-dir", "other", "--unix-socket", str(file_of(local))
    refused = local.run("server", "start", *other)
    assert (refused.code, "CX2118" in refused.err) == (6, True)
    assert local.run("list").code == 0


def test_a_place_that_others_may_write_is_refused(configured: Shell) -> None:
    shared = configured.directory / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    flags = "--port", "0", "--unix-socket", str(shared / "caxton.sock")
    refused = configured.run("server", "start", *flags)
    assert (refused.code, "CX2117" in refused.err) == (6, True)
    assert "others may write its folder" in refused.err


def test_programs_read_of_the_socket_in_the_pid_file(local: Shell) -> None:
    assert owner(local)["socket"] == f"unix://{file_of(local)}"
    told = json.loads(local.run("server", "status", "--json").out)
    assert {key: told[key] for key in ("url", "socket")} == {
        key: owner(local)[key] for key in ("url", "socket")
    }


@pytest.mark.parametrize("url", ["unix://", "unix://relative.sock", "ftp://127.0.0.1"])
def test_what_is_no_address_is_told(shell: Shell, url: str) -> None:
    refused = shell.run("list", "--url", url)
    assert (refused.code, "not the address of a server" in refused.err) == (2, True)
