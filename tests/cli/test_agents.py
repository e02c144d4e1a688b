import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import final

import pytest

from tests.cli.command import Ended, Shell
from tests.cli.conftest import AGENT


@final
class Stranger(BaseHTTPRequestHandler):
    """A program that answers everything with a page."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers["content-length"] or 0))
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<p>Welcome!")

    def do_POST(self) -> None:
        self.do_GET()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of another program."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


NEEDS_SERVER = [
    ("list",),
    ("show", "a"),
    ("deploy", "talker.toml"),
    ("create", "--config", "talker.toml"),
    ("send", "a", "hello"),
    ("chat", "a"),
    ("start", "a"),
    ("stop", "a"),
    ("restart", "a"),
    ("delete", "a", "--yes"),
    ("providers",),
]


@pytest.mark.parametrize("words", NEEDS_SERVER, ids=lambda words: str(words[0]))
def test_without_a_server_the_way_to_one_is_told(configured: Shell, words: tuple[str, ...]) -> None:
    refused = configured.run(*words, "--url", "http://127.0.0.1:9")
    assert refused.code == 3
    assert "server is not running at http://127.0.0.1:9" in refused.err
    assert "caxton server start" in refused.err
    assert refused.out == ""


def listed(shell: Shell) -> dict[str, str]:
    agents = json.loads(shell.run("list", "--json").out)["agents"]
    return {agent["name"]: agent["state"] for agent in agents}


def says(ended: Ended, out: str, hint: str) -> bool:
    return (ended.code, ended.out) == (0, out) and hint in ended.err


def test_an_agent_lives_through_all_its_commands(running: Shell) -> None:
    assert "no agents yet" in running.run("list").err
    assert says(running.run("deploy", "talker.toml"), "created talker (running)\n", "caxton chat")
    assert says(running.run("deploy", "talker.toml"), "replaced talker (running)\n", "caxton chat")
    assert running.run("list", "-q").out == "talker\n"
    assert says(running.run("stop", "talker"), "talker is stopped\n", "caxton start talker")
    assert listed(running) == {"talker": "stopped"}
    assert running.run("send", "talker", "hello").code == 1
    assert says(running.run("start", "talker"), "talker is running\n", "caxton chat talker")
    assert says(running.run("restart", "talker"), "talker is running\n", "caxton chat talker")
    refused = running.run("delete", "talker")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert running.run("delete", "talker", "--yes").out == "deleted talker\n"
    assert listed(running) == {}
    assert running.run("show", "talker").code == 1


def test_create_refuses_a_name_that_exists_and_says_what_replaces_it(running: Shell) -> None:
    assert running.run("create", "--config", "talker.toml").out == "created talker (running)\n"
    refused = running.run("create", "--config", "talker.toml")
    assert refused.code == 1
    assert "caxton deploy talker.toml" in refused.err


def test_many_files_are_deployed_at_once_or_not_at_all(running: Shell) -> None:
    running.write("second.toml", AGENT.format(name="second"))
    running.write("broken.toml", AGENT.format(name="Not A Name"))
    assert running.run("deploy", "second.toml", "broken.toml").code == 4
    assert listed(running) == {}
    deployed = json.loads(running.run("deploy", "talker.toml", "second.toml", "--json").out)
    assert [(one["outcome"], one["name"]) for one in deployed] == [
        ("created", "talker"),
        ("created", "second"),
    ]


def test_problems_of_a_file_can_be_read_by_programs(running: Shell) -> None:
    running.write("broken.toml", AGENT.format(name="Not A Name"))
    refused = running.run("deploy", "broken.toml", "--json")
    assert (refused.code, refused.out) == (4, "")
    assert json.loads(refused.err)["problems"][0]["code"] == "CX1102"


def test_an_agent_is_shown_as_it_was_written(running: Shell) -> None:
    text = AGENT.format(name="talker") + "# a comment\n"
    running.write("talker.toml", text)
    running.run("deploy", "talker.toml")
    assert running.run("show", "talker", "--config").out == text
    assert "running" in running.run("show", "talker").out
    assert json.loads(running.run("show", "talker", "--json").out)["config"] == text


def test_an_answer_is_printed_whole_where_nobody_watches(running: Shell) -> None:
    running.run("deploy", "talker.toml")
    assert running.run("send", "talker", "hello", "there").out == "You said: hello there\n"
    assert running.run("send", "talker", "-", stdin="from a pipe").out == "You said: from a pipe\n"
    document = json.loads(running.run("send", "talker", "hello", "--json").out)
    assert (document["text"], document["agent"]) == ("You said: hello", "talker")
    conversation = document["conversation_id"]
    again = running.run("send", "talker", "more", "--json", "--conversation", conversation)
    assert json.loads(again.out)["conversation_id"] == conversation


def test_a_message_that_fails_is_told_with_its_reason(running: Shell) -> None:
    running.run("deploy", "talker.toml")
    refused = running.run("send", "talker", "please fail")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("error[CX")


def test_nothing_cannot_be_sent(running: Shell) -> None:
    assert running.run("send", "talker", "-", stdin=" \n").code == 2


def test_what_happened_to_an_agent_is_in_the_log(running: Shell) -> None:
    running.write("second.toml", AGENT.format(name="second"))
    running.run("deploy", "talker.toml", "second.toml")
    lines = [json.loads(line) for line in running.run("logs", "second").out.splitlines()]
    assert [line["event"] for line in lines] == ["agent.loaded", "agent.started"]
    assert len(running.run("server", "logs", "-n", "2").out.splitlines()) == 2


def test_an_agent_that_nobody_knows_has_no_log(running: Shell) -> None:
    running.run("deploy", "talker.toml")
    refused = running.run("logs", "talkr")
    assert (refused.code, refused.out) == (running.run("show", "talkr").code, "")
    assert "Did you mean talker?" in refused.err
    assert running.run("delete", "talker", "--yes").code == 0
    assert "agent.unloaded" in running.run("logs", "talker").out
    assert running.run("server", "stop").code == 0
    unknown = running.run("logs", "talkr")
    assert (unknown.code, unknown.out, unknown.err) == (0, "", "")


def test_the_providers_are_listed_with_their_health(running: Shell) -> None:
    assert "play  scripted  yes      ok" in running.run("providers").out
    (provider,) = json.loads(running.run("providers", "--json").out)["providers"]
    assert (provider["name"], provider["healthy"]) == ("play", True)
    assert "base_url" not in provider


def test_a_log_in_another_file_is_found(configured: Shell) -> None:
    with (configured.directory / "caxton.toml").open("a") as settings:
        settings.write('[logging]\nfile = "elsewhere.log"\n')
    assert configured.run("server", "start", "--port", "0").code == 0
    assert "server.ready" in configured.run("server", "logs").out
    assert configured.run("server", "stop").code == 0


def test_without_a_provider_the_way_to_one_is_told(shell: Shell) -> None:
    shell.write("talker.toml", AGENT.format(name="talker"))
    assert shell.run("server", "start", "--port", "0").code == 0
    assert shell.run("deploy", "talker.toml").code == 0
    refused = shell.run("send", "talker", "hello")
    assert (refused.code, "caxton providers" in refused.err) == (1, True)
    assert "export OPENAI_API_KEY=" in shell.run("providers").err
    assert shell.run("server", "stop").code == 0


def test_doctor_finds_nothing_where_all_is_well(running: Shell) -> None:
    examined = running.run("doctor", "--json")
    assert examined.code == 0, examined.out
    assert {one["verdict"] for one in json.loads(examined.out)} == {"ok"}


def test_doctor_praises_no_key_where_none_is_needed(running: Shell) -> None:
    assert "provider play: answers\n" in running.run("doctor").out


def test_doctor_says_how_to_get_a_provider(shell: Shell) -> None:
    examined = shell.run("doctor")
    assert examined.code == 1
    assert "export OPENAI_API_KEY=" in examined.out


@pytest.mark.parametrize(
    "words",
    [
        ("send", "talker", "hello", "--timeout", "-1"),
        ("send", "talker", "hello", "--timeout", "0"),
        ("send", "talker", "hello", "--timeout", "inf"),
        ("server", "start", "--timeout", "-1"),
        ("server", "stop", "--timeout", "-1"),
        ("logs", "talker", "--lines", "-5"),
        ("server", "logs", "--lines", "-5"),
    ],
)
def test_a_number_without_meaning_is_wrong_usage(shell: Shell, words: tuple[str, ...]) -> None:
    refused = shell.run(*words)
    assert (refused.code, "not in the range" in refused.err) == (2, True), refused.err


def test_a_log_whose_reader_left_is_no_missing_log(configured: Shell) -> None:
    configured.write("long.log", "a line\n" * 100_000)
    reading = configured.spawn("server", "logs", "--file", "long.log", "-n", "100000")
    assert reading.stdout is not None
    assert reading.stdout.readline() == "a line\n"
    reading.stdout.close()
    assert reading.stderr is not None
    with reading, reading.stderr as told:
        assert told.read() == ""


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("show", "talker"),
        ("deploy", "talker.toml"),
        ("send", "talker", "hello"),
        ("providers",),
    ],
)
def test_another_program_at_the_address_is_not_taken_for_the_server(
    configured: Shell, stranger: str, words: tuple[str, ...]
) -> None:
    refused = configured.run(*words, "--url", stranger)
    assert (refused.code, "is not Caxton (HTTP 200)" in refused.err) == (3, True), refused.err


def test_an_address_that_is_none_is_wrong_usage(shell: Shell) -> None:
    assert shell.run("list", "--url", "localhost:8080").code == 2
    assert shell.run("list", "--url", "http://h:port").code == 2
