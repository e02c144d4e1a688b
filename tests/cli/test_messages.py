import json

import pytest

from tests.cli.command import Ended, Shell


@pytest.fixture
def failed(running: Shell) -> tuple[Shell, str]:
    """A shell whose server knows an answer and a failure, and the message that failed."""
    assert running.run("deploy", "talker.toml").code == 0
    assert running.run("send", "talker", "Hello", "--conversation", "talk").code == 0
    assert running.run("send", "talker", "fail").code == 1
    listed = json.loads(running.run("messages", "list", "--state", "failed", "--json").out)
    (message,) = listed["messages"]
    return running, message["message_id"]


def messages(shell: Shell, *arguments: str) -> Ended:
    ended = shell.run("messages", *arguments)
    assert ended.code == 0, ended.err
    return ended


def test_messages_are_listed_the_newest_first(failed: tuple[Shell, str]) -> None:
    shell, message = failed
    title, first, second = messages(shell, "list").out.splitlines()
    assert title.split() == ["MESSAGE", "AGENT", "STATE", "ACCEPTED", "TEXT"]
    assert first.split()[:3] == [message, "talker", "failed"]
    assert second.split()[1:3] == ["talker", "answered"]
    assert second.endswith("Hello")
    only = messages(shell, "list", "--conversation", "talk", "--agent", "talker").out
    assert len(only.splitlines()) == 2
    assert messages(shell, "list", "--state", "running").out == ""
    assert shell.run("messages", "list", "--state", "lost").code == 2


def test_a_message_is_shown_with_what_became_of_it(failed: tuple[Shell, str]) -> None:
    shell, message = failed
    shown = messages(shell, "show", message).out
    assert message in shown
    assert "CX5007" in shown
    document = json.loads(messages(shell, "show", message, "--json").out)
    assert (document["text"], document["status"]) == ("fail", "failed")
    assert shell.run("messages", "show", "msg_0").code == 1


def test_a_message_is_tried_again(failed: tuple[Shell, str]) -> None:
    shell, message = failed
    assert messages(shell, "retry", message).out == f"{message} goes on\n"


def test_results_of_unknown_calls_are_refused_by_name(failed: tuple[Shell, str]) -> None:
    shell, message = failed
    told = shell.run("messages", "retry", message, "--result", "c1=done", "--failed", "c2=no")
    assert (told.code, "CX4033" in told.err, "c1, c2" in told.err) == (1, True, True)
    assert shell.run("messages", "retry", message, "--result", "nothing").code == 2


def test_what_has_ended_stays_as_it_is(failed: tuple[Shell, str]) -> None:
    shell, message = failed
    assert messages(shell, "cancel", message).out == f"{message} is failed\n"
    assert json.loads(messages(shell, "cancel", message, "--json").out)["status"] == "failed"


def test_old_messages_are_removed_where_the_operator_wants_it(configured: Shell) -> None:
    settings = configured.directory / "caxton.toml"
    configured.write(
        "caxton.toml", f'{settings.read_text("utf-8")}[storage]\nkeep_messages = "1ms"\n'
    )
    for start in range(2):
        assert configured.run("server", "start", "--port", "0").code == 0
        if start == 0:
            assert configured.run("deploy", "talker.toml").code == 0
            assert configured.run("send", "talker", "Hello").code == 0
            assert "Hello" in messages(configured, "list").out
            assert configured.run("server", "stop").code == 0
    assert until_nothing_is_listed(configured)
    assert configured.run("server", "stop").code == 0


def until_nothing_is_listed(shell: Shell) -> bool:
    return any(not messages(shell, "list").out for _ in range(20))
