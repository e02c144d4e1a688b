import signal

import pytest

from tests.cli.command import Shell
from tests.cli.processes import foreground
from tests.cli.terminals import terminal

SLOW = '[[rules]]\nanswer = "one two three"\n[streaming]\ndelay = "2s"\n'


@pytest.fixture
def talking(running: Shell) -> Shell:
    running.run("deploy", "talker.toml")
    return running


def test_a_conversation_goes_on_until_its_end(talking: Shell) -> None:
    with terminal(talking, "chat", "talker", NO_COLOR="1") as shown:
        shown.until("you> ")
        shown.type("hello\n")
        shown.until("talker> You said: hello")
        shown.until("you> ")
        shown.type("again\n")
        shown.until("talker> You said: again")
        shown.until("you> ")
        shown.type("\x04")
        shown.until("to go on: caxton chat talker --conversation conv_")
        assert shown.ended() == 0


def test_an_interrupt_cancels_the_answer_and_another_one_leaves(configured: Shell) -> None:
    configured.write("scenario.toml", SLOW)
    assert configured.run("server", "start", "--port", "0").code == 0
    configured.run("deploy", "talker.toml")
    with terminal(configured, "chat", "talker", NO_COLOR="1") as shown:
        shown.until("you> ")
        shown.type("hello\n")
        shown.until("talker> one")
        shown.process.send_signal(signal.SIGINT)
        shown.until("cancelled; Ctrl-C once more leaves")
        shown.until("you> ")
        shown.interrupt()
        assert shown.ended() == 130
    assert "three" not in shown.shown
    stopped = configured.run("server", "stop")
    assert stopped.code == 0


@pytest.mark.parametrize("word", ["/quit", "/exit", "/bye "])
def test_a_word_leaves_too(talking: Shell, word: str) -> None:
    left = talking.run("chat", "talker", stdin=f"hello\n{word}\nnever said\n")
    assert (left.code, left.out) == (0, "You said: hello\n")


@pytest.mark.parametrize("word", ["/help", "/?"])
def test_the_commands_are_told_and_not_sent(talking: Shell, word: str) -> None:
    told = talking.run("chat", "talker", stdin=f"{word}\n/etc is sent\n")
    assert (told.code, told.out) == (0, "You said: /etc is sent\n")
    assert "/quit, /exit, /bye" in told.err


def test_an_interrupt_with_nothing_to_cancel_tells_how_to_leave(talking: Shell) -> None:
    with terminal(talking, "chat", "talker", NO_COLOR="1") as shown:
        shown.until("you> ")
        shown.interrupt()
        shown.until("Ctrl-C once more leaves, as do Ctrl-D and /quit")
        shown.until("you> ")
        shown.type("hello\n")
        shown.until("You said: hello")
        shown.until("you> ")
        shown.type("/quit\n")
        shown.until("to go on: caxton chat talker --conversation conv_")
        assert shown.ended() == 0


def test_an_answer_that_fails_does_not_end_the_conversation(talking: Shell) -> None:
    with terminal(talking, "chat", "talker", NO_COLOR="1") as shown:
        shown.until("you> ")
        shown.type("please fail\n")
        shown.until("error[CX")
        shown.until("you> ")
        shown.type("hello\n")
        shown.until("You said: hello")


def test_whose_server_dies_in_an_answer_is_told_where_it_will_be(configured: Shell) -> None:
    configured.write("scenario.toml", SLOW)
    with foreground(configured) as server:
        configured.run("deploy", "talker.toml")
        with terminal(configured, "send", "talker", "hello", NO_COLOR="1") as shown:
            shown.until("one")
            server.kill()
            shown.until("the server went away while it answered; it has accepted msg_")
            shown.until("caxton messages show msg_")
            assert shown.ended() == 3


def test_a_pipe_can_talk_too(talking: Shell) -> None:
    piped = talking.run("chat", "talker", stdin="hello\nagain\n")
    assert (piped.code, piped.out) == (0, "You said: hello\nYou said: again\n")


def test_one_message_is_streamed_on_a_terminal(talking: Shell) -> None:
    with terminal(talking, "send", "talker", "hello") as shown:
        shown.until("You said: hello")
        assert shown.ended() == 0


def test_who_waits_on_a_terminal_waits_no_longer_than_they_said(configured: Shell) -> None:
    configured.write("scenario.toml", SLOW)
    assert configured.run("server", "start", "--port", "0").code == 0
    configured.run("deploy", "talker.toml")
    with terminal(configured, "send", "talker", "hello", "--timeout", "0.1") as shown:
        shown.until("did not answer in 0.1 s")
        assert shown.ended() == 1
    assert configured.run("server", "stop").code == 0


def test_nobody_can_be_talked_to_who_is_not_there(talking: Shell) -> None:
    refused = talking.run("chat", "talkr")
    assert refused.code == 1
    assert "talker" in refused.err


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, True)],
)
def test_colours_appear_on_a_terminal_that_wants_them(
    shell: Shell, variables: dict[str, str], *, coloured: bool
) -> None:
    with terminal(shell, "list", "--url", "http://127.0.0.1:9", **variables) as shown:
        shown.until("error")
        shown.until("hint")
        before = shown.shown
        assert shown.ended() == 3
    assert ("\x1b[" in before) is coloured


def test_no_colours_appear_in_a_pipe(shell: Shell) -> None:
    assert "\x1b[" not in shell.run("list", "--url", "http://127.0.0.1:9").err
    assert "\x1b[" in shell.run("list", "--url", "http://127.0.0.1:9", FORCE_COLOR="1").err
