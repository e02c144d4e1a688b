"""Whatever a server or a command writes is for its owner's eyes, however open the surroundings."""

import os
import stat
from pathlib import Path

from caxton_adapters.process.private import replace_text
from tests.cli.command import Shell

READABLE = {"agent.toml", "caxton.toml", "scenario.toml", "talker.toml"}
"""What the test wrote itself."""


def open_to_others(directory: Path) -> dict[str, str]:
    """The files and directories that anybody but the owner may do something with."""
    found = {}
    for path in directory.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_IMODE(mode) & 0o077 and path.name not in READABLE:
            found[str(path.relative_to(directory))] = oct(mode)
    return found


def test_everything_is_private_whatever_the_umask_says(configured: Shell) -> None:
    before = os.umask(0)
    try:
        assert configured.run("server", "start", "--port", "0").code == 0
        assert configured.run("deploy", "talker.toml").code == 0
        assert configured.run("send", "talker", "hello").code == 0
        assert configured.run("backup", "copy.db").code == 0
        names = {path.name for path in (configured.directory / "data").iterdir()}
        assert open_to_others(configured.directory) == {}
        assert configured.run("server", "stop").code == 0
        assert configured.run("restore", "copy.db").code == 0
    finally:
        os.umask(before)
    assert open_to_others(configured.directory) == {}
    assert {"caxton.db", "caxton.db-wal", "caxton.pid", "server.log"} <= names


def test_the_doctor_sees_what_others_may_change(configured: Shell) -> None:
    (configured.directory / "data").mkdir()
    for name, mode in (("caxton.toml", 0o622), ("data", 0o770)):
        (configured.directory / name).chmod(mode)
    told = configured.run("doctor").out
    assert "caxton.toml can be changed by other users" in told
    assert f"chmod go-w {configured.directory / 'data'}" in told
    for name, mode in (("caxton.toml", 0o600), ("data", 0o700)):
        (configured.directory / name).chmod(mode)
    assert "can be changed by" not in configured.run("doctor").out


def test_a_link_in_the_way_of_the_pid_file_is_not_followed(configured: Shell) -> None:
    victim = configured.write("victim", "mine")
    path = configured.directory / "caxton.pid"
    path.with_name(f"caxton.pid.{os.getpid()}").symlink_to(victim)
    replace_text(path, "text")
    assert (path.read_text(), victim.read_text()) == ("text", "mine")
    assert not path.is_symlink()
