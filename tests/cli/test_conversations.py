import json

import pytest

from tests.cli.command import Ended, Shell
from tests.cli.conftest import AGENT


@pytest.fixture
def talked(running: Shell) -> Shell:
    """A shell whose server knows a conversation of two messages."""
    assert running.run("deploy", "talker.toml").code == 0
    for text in ("Hello", "again"):
        assert running.run("send", "talker", text, "--conversation", "talk").code == 0
    return running


def conversations(shell: Shell, *arguments: str) -> Ended:
    ended = shell.run("conversations", *arguments)
    assert ended.code == 0, ended.err
    return ended


def test_conversations_are_listed_for_people_and_programs(talked: Shell) -> None:
    assert talked.run("send", "talker", "Hello", "--conversation", "other").code == 0
    title, first, second = conversations(talked, "list").out.splitlines()
    assert title.split() == ["CONVERSATION", "AGENT", "MESSAGES", "LAST", "USED"]
    assert first.split()[:3] == ["other", "talker", "1"]
    assert second.split()[:3] == ["talk", "talker", "2"]
    listed = json.loads(conversations(talked, "list", "--json", "--limit", "1").out)
    assert [one["conversation_id"] for one in listed["conversations"]] == ["other"]
    assert conversations(talked, "list", "--agent", "talker", "--json").out


def test_where_nothing_was_said_the_way_to_it_is_told(running: Shell) -> None:
    ended = conversations(running, "list")
    assert (ended.out, "caxton chat" in ended.err) == ("", True)


def test_a_conversation_is_shown_as_it_was_said(talked: Shell) -> None:
    assert talked.run("send", "talker", "fail", "--conversation", "talk").code == 1
    assert conversations(talked, "show", "talk").out.splitlines()[:4] == [
        "you> Hello",
        "talker> You said: Hello",
        "you> again",
        "talker> You said: again",
    ]
    shown = json.loads(conversations(talked, "show", "talk", "--json", "--agent", "talker").out)
    assert [one["status"] for one in shown["messages"]] == ["answered", "answered", "failed"]
    assert shown["message_count"] == 3


def test_a_conversation_is_exported_as_lines_of_json(talked: Shell) -> None:
    lines = conversations(talked, "export", "talk").out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["Hello", "again"]
    conversations(talked, "export", "talk", "-o", "talk.jsonl")
    assert (talked.directory / "talk.jsonl").read_text("utf-8").splitlines() == lines
    unwritable = talked.run("conversations", "export", "talk", "-o", "no/such/folder")
    assert unwritable.code == 1


def test_a_conversation_begins_anew(talked: Shell) -> None:
    assert conversations(talked, "reset", "talk").out == "talk begins anew\n"
    assert json.loads(conversations(talked, "reset", "talk", "--json").out)["message_count"] == 2


def test_a_conversation_is_deleted_when_somebody_agrees(talked: Shell) -> None:
    assert talked.run("conversations", "delete", "talk").code == 2
    assert conversations(talked, "delete", "talk", "--yes").out == "deleted talk\n"
    gone = talked.run("conversations", "show", "talk")
    assert (gone.code, "CX4034" in gone.err) == (1, True)
    assert talked.run("conversations", "delete", "talk", "--yes").code == 1


def test_of_several_conversations_with_one_id_the_command_asks_which(talked: Shell) -> None:
    talked.write("other.toml", AGENT.format(name="other"))
    assert talked.run("deploy", "other.toml").code == 0
    assert talked.run("send", "other", "Ho", "--conversation", "talk").code == 0
    ambiguous = talked.run("conversations", "show", "talk")
    assert (ambiguous.code, "CX4035" in ambiguous.err) == (1, True)
    assert "--agent NAME or --shared" in ambiguous.err
    shown = conversations(talked, "show", "talk", "--agent", "other").out
    assert shown == "you> Ho\nother> You said: Ho\n"
    assert talked.run("conversations", "show", "talk", "--shared").code == 1
    both = talked.run("conversations", "delete", "talk", "--agent", "other", "--shared", "--yes")
    assert both.code == 2
    assert conversations(talked, "show", "talk", "--agent", "other").out == shown


def test_a_chat_begins_anew(talked: Shell) -> None:
    typed = "one\n/reset\ntwo\n"
    chat = talked.run("chat", "talker", "--conversation", "chat", stdin=typed)
    assert chat.out.splitlines() == ["You said: one", "You said: two"]
    assert "begins anew" in chat.err
    shown = json.loads(conversations(talked, "show", "chat", "--json").out)
    first, second = (one["answer"]["usage"]["prompt_tokens"] for one in shown["messages"])
    assert first == second


def test_a_chat_in_which_nothing_was_said_begins_anew_too(talked: Shell) -> None:
    for more in ((), ("--conversation", "new")):
        chat = talked.run("chat", "talker", *more, stdin="/reset\nHello\n")
        assert (chat.code, chat.out) == (0, "You said: Hello\n")
