"""`caxton approvals` and `caxton tools why`, as a person types them."""

import json
from collections.abc import Iterator

import pytest

from tests.cli.command import Shell
from tests.cli.terminals import terminal
from tests.waiting import wait_for

OTHER = "keeper wants to call memory.recall {'text': 'tea'}"
"""What another call would look like."""
ROW = f'text: "evil (2,000 blanks) {OTHER}"'
SCENARIO = """
[[rules]]
contains = "remember"
calls = [{tool = "memory.remember", arguments = {text = "tea", key = "drink"}}]
then = "done: {{result}}"

[[rules]]
contains = "padded"
calls = [{tool = "memory.remember", arguments = {text = "PADDED"}}]
then = "done: {{result}}"

[[rules]]
contains = "long"
calls = [{tool = "memory.remember", arguments = {text = "LONG"}}]
then = "done: {{result}}"
""".replace("PADDED", f"evil{' ' * 2_000}{OTHER}").replace("LONG", f"evil {'-' * 2_000} {OTHER}")
KEEPER = """
name = "keeper"
capabilities = ["keeping"]
system_prompt = "You keep."
tools = ["memory.*"]
[permissions]
allow = ["memory.recall"]
ask = ["memory.remember"]
"""


@pytest.fixture
def keeper(configured: Shell) -> Iterator[Shell]:
    configured.write("scenario.toml", SCENARIO)
    configured.write("keeper.toml", KEEPER)
    assert configured.run("server", "start", "--port", "0").code == 0
    assert configured.run("deploy", "keeper.toml").code == 0
    yield configured
    assert configured.run("server", "stop", "--force").code in (0, 3)


def waiting(shell: Shell) -> str:
    def first() -> str | None:
        listed = json.loads(shell.run("approvals", "list", "--json").out)["approvals"]
        return str(listed[0]["id"]) if listed else None

    return wait_for(first)


def test_a_person_approves_a_call_that_waits(keeper: Shell) -> None:
    assert keeper.run("approvals", "list").err == "no call waits for a person\n"
    sending = keeper.spawn("send", "keeper", "remember")
    id_ = waiting(keeper)
    title, row = keeper.run("approvals", "list").out.splitlines()
    assert title.split() == ["APPROVAL", "AGENT", "TOOL", "ARGUMENTS", "EXPIRES"]
    assert row.split()[:3] == [id_, "keeper", "memory.remember"]
    assert '"drink"' in keeper.run("approvals", "show", id_).out
    approved = keeper.run("approvals", "approve", id_)
    assert approved.out == f"{id_} is approved: memory.remember for keeper\n"
    out, _ = sending.communicate(timeout=30)
    assert out.startswith("done: ")
    again = keeper.run("approvals", "deny", id_)
    assert (again.code, "CX4048" in again.err) == (1, True)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_who_cannot_be_asked_is_told_at_once_what_it_waits_for(
    keeper: Shell, options: tuple[str, ...]
) -> None:
    sending = keeper.spawn("send", "keeper", "remember", *options)
    assert sending.stderr is not None
    told = sending.stderr.readline()
    id_ = told.split()[-1]
    assert told == f"waits for a person: caxton approvals show {id_}\n"
    assert keeper.run("approvals", "approve", id_).code == 0
    out, err = sending.communicate(timeout=30)
    text = json.loads(out)["text"] if options else out
    assert (text.startswith("done: "), err) == (True, "")


def test_a_message_shows_what_it_waits_for(keeper: Shell) -> None:
    sending = keeper.spawn("send", "keeper", "remember")
    id_ = waiting(keeper)
    [message] = json.loads(keeper.run("messages", "list", "--json").out)["messages"]
    shown = keeper.run("messages", "show", message["message_id"])
    assert f"\napproval        {id_}: memory.remember {{" in shown.out
    assert shown.err == f"waits for a person: caxton approvals show {id_}\n"
    assert keeper.run("approvals", "approve", id_).code == 0
    sending.communicate(timeout=30)
    assert "approval" not in keeper.run("messages", "show", message["message_id"]).out


def test_a_person_at_the_terminal_is_asked_until_they_answer(keeper: Shell) -> None:
    with terminal(keeper, "send", "keeper", "remember") as shown:
        shown.until("keeper wants to call memory.remember")
        shown.until("allow it? [y/N] ")
        shown.type("maybe\n")
        shown.until("answer y or n; allow it? [y/N] ")
        shown.type("Yes\n")
        shown.until("done: ")
        assert shown.ended() == 0


def test_blanks_do_not_put_another_call_in_the_place_of_the_one_that_is_asked_about(
    keeper: Shell,
) -> None:
    with terminal(keeper, "send", "keeper", "padded") as shown:
        question = shown.until("allow it? [y/N] ")
        rows = question.splitlines()
        assert rows[1:3] == ["keeper wants to call memory.remember", ROW]
        assert OTHER not in [row.strip() for row in rows]
        shown.type("y\n")
        shown.until("done: ")


def test_a_call_that_does_not_fit_on_the_screen_cannot_be_allowed_there(keeper: Shell) -> None:
    with terminal(keeper, "send", "keeper", "long") as shown:
        question = shown.until("allow it? [y/N] ")
        assert question.splitlines()[1] == "keeper wants to call memory.remember"
        assert len(question.splitlines()) < 24
        id_ = waiting(keeper)
        assert f"see: caxton approvals show {id_}\r\n" in question
        shown.type("y\n")
        shown.until("what is not shown cannot be allowed here")
        told = keeper.run("approvals", "show", id_)
        assert OTHER in told.out
        assert told.err == f"answer with: caxton approvals approve {id_}, or deny\n"
        assert keeper.run("approvals", "approve", id_).code == 0
        shown.type("n\n")
        shown.until("done: ")


def test_a_list_says_where_it_cuts(keeper: Shell) -> None:
    sending = keeper.spawn("send", "keeper", "long")
    id_ = waiting(keeper)
    listed = keeper.run("approvals", "list")
    assert "… (2,0" in listed.out
    assert "caxton approvals show APPROVAL" in listed.err
    assert keeper.run("approvals", "deny", id_).code == 0
    sending.communicate(timeout=30)


@pytest.mark.parametrize("typed", ["\n", "no\n"])
def test_a_person_at_the_terminal_refuses_also_without_a_word(keeper: Shell, typed: str) -> None:
    with terminal(keeper, "send", "keeper", "remember") as shown:
        shown.until("allow it? [y/N] ")
        shown.type(typed)
        shown.until("a person refused this call")
        assert shown.ended() == 0


def test_what_was_typed_before_the_question_is_no_answer_to_it(keeper: Shell) -> None:
    with terminal(keeper, "send", "keeper", "remember") as shown:
        shown.type("y\n")
        shown.until("allow it? [y/N] ")
        shown.type("n\n")
        shown.until("a person refused this call")
        assert shown.ended() == 0


def test_results_that_go_elsewhere_leave_the_question_at_the_terminal(keeper: Shell) -> None:
    with terminal(keeper, "send", "keeper", "remember", into="answer.txt") as shown:
        shown.until("allow it? [y/N] ")
        shown.type("y\n")
        assert shown.ended() == 0
    assert (keeper.directory / "answer.txt").read_text("utf-8").startswith("done: ")


def test_an_ended_input_leaves_the_call_to_somebody_else(keeper: Shell) -> None:
    with terminal(keeper, "send", "keeper", "remember") as shown:
        shown.until("allow it? [y/N] ")
        shown.type("\x04")
        shown.until("waits for a person: caxton approvals show ")
        assert keeper.run("approvals", "approve", waiting(keeper)).code == 0
        shown.until("done: ")
        assert shown.ended() == 0


def test_who_answers_late_is_told_what_was_answered(keeper: Shell) -> None:
    with terminal(keeper, "send", "keeper", "remember") as shown:
        shown.until("allow it? [y/N] ")
        id_ = waiting(keeper)
        assert keeper.run("approvals", "deny", id_, "--reason", "too private").code == 0
        shown.type("y\n")
        shown.until(f"The approval {id_} was denied by ")
        shown.until(": too private.")
        assert shown.ended() == 0


def test_a_person_refuses_a_call_and_says_why(keeper: Shell) -> None:
    sending = keeper.spawn("send", "keeper", "remember")
    id_ = waiting(keeper)
    denied = keeper.run("approvals", "deny", id_, "--reason", "too private", "--json")
    assert json.loads(denied.out)["approvals"][0]["reason"] == "too private"
    assert "too private" in sending.communicate(timeout=30)[0]


def test_an_unknown_approval_is_told(keeper: Shell) -> None:
    shown = keeper.run("approvals", "show", "apr_0")
    assert (shown.code, "CX4047" in shown.err) == (1, True)
    assert keeper.run("approvals", "approve").code == 2
