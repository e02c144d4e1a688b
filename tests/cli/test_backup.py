"""Copies are made of a server that runs, proven, and put back where none runs."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Ended, Shell


@pytest.fixture
def talked(running: Shell) -> Shell:
    """A shell whose running server has answered a message."""
    assert running.run("deploy", "talker.toml").code == 0
    assert running.run("send", "talker", "remember me").code == 0
    return running


def failed(ended: Ended, code: int, problem: str) -> bool:
    return ended.code == code and ended.out == "" and f"error[{problem}]" in ended.err


def test_a_running_server_is_backed_up_and_restored_with_all_it_kept(talked: Shell) -> None:
    made = talked.run("backup", "copy.db")
    assert (made.code, made.out) == (
        0,
        "backed up to copy.db: 1 agent, 1 conversation, 1 message\n",
    )
    assert talked.run("delete", "talker", "--yes").code == 0
    assert talked.run("server", "stop").code == 0
    restored = talked.run("restore", "copy.db", "--json")
    before = json.loads(restored.out)["before"]
    assert json.loads(talked.run("verify", before, "--json").out)["agents"] == 0
    assert talked.run("server", "start", "--port", "0").code == 0
    assert talked.run("send", "talker", "again").out == "You said: again\n"


def test_a_server_that_does_not_run_is_backed_up_too(talked: Shell) -> None:
    assert talked.run("server", "stop").code == 0
    assert talked.run("backup", "copy.db").code == 0
    assert json.loads(talked.run("verify", "copy.db", "--json").out) == {
        "path": "copy.db",
        "schema": json.loads(talked.run("verify", "--json").out)["schema"],
        "agents": 1,
        "conversations": 1,
        "messages": 1,
    }


def test_the_database_of_a_running_server_is_not_replaced(talked: Shell) -> None:
    assert talked.run("backup", "copy.db").code == 0
    refused = talked.run("restore", "copy.db")
    assert failed(refused, 6, "CX2101")
    assert "server stop" in refused.err
    assert list((talked.directory / "data").glob("*before*")) == []
    assert talked.run("list").code == 0


def test_a_copy_in_a_directory_is_named_by_its_time(talked: Shell) -> None:
    (talked.directory / "copies").mkdir()
    made = json.loads(talked.run("backup", "copies", "--json").out)
    assert Path(made["path"]).parent == Path("copies")
    assert [file.name for file in (talked.directory / "copies").iterdir()] == [
        Path(made["path"]).name
    ]


def test_a_copy_never_takes_the_place_of_a_file(talked: Shell) -> None:
    talked.write("copy.db", "mine")
    assert failed(talked.run("backup", "copy.db"), 1, "CX2111")
    assert (talked.directory / "copy.db").read_text() == "mine"


def test_what_is_no_backup_is_not_restored(configured: Shell) -> None:
    configured.write("copy.db", "no database")
    assert failed(configured.run("verify", "copy.db"), 4, "CX2110")
    assert failed(configured.run("restore", "copy.db"), 4, "CX2110")
    assert not (configured.directory / "data" / "caxton.db").exists()


def test_where_there_is_no_database_nothing_is_copied(configured: Shell) -> None:
    assert failed(configured.run("backup", "copy.db"), 6, "CX2108")
    assert failed(configured.run("verify"), 6, "CX2108")
    assert not (configured.directory / "copy.db").exists()


def test_a_new_machine_takes_a_backup(talked: Shell) -> None:
    assert talked.run("backup", "copy.db").code == 0
    elsewhere = str(talked.directory / "new" / "machine")
    restored = talked.run("restore", "copy.db", "--data-dir", elsewhere)
    assert f"next: caxton server start --data-dir {elsewhere}" in restored.err
    assert (restored.code, "nothing was there before" in restored.err) == (0, True)
    assert talked.run("verify", "--data-dir", elsewhere).code == 0
