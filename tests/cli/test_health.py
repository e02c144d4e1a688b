"""`caxton health` for probes and people, and what `server status` takes for Caxton."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.cli.command import Shell, unused_port
from tests.cli.processes import foreground, until_it_has_children, until_told

SLOW = '[[rules]]\nanswer = "one two three"\n[streaming]\ndelay = "60s"\n'


@contextmanager
def another_program(body: str, kind: str = "application/json", status: int = 200) -> Iterator[str]:
    """The address of a web server that is not ours."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_every_part_is_shown(running: Shell) -> None:
    shown = running.run("health")
    assert shown.code == 0
    condition, header, *parts = shown.out.splitlines()
    assert (condition, header.split()) == ("pass", ["PART", "STATUS", "SINCE", "REASON"])
    names = {part.split("  ")[0] for part in parts}
    assert names >= {"agents", "clock", "database", "disk", "journal", "provider play"}


@pytest.mark.parametrize("probe", ["--ready", "--live", "--startup"])
def test_a_probe_is_answered_in_a_word(running: Shell, probe: str) -> None:
    answered = running.run("health", probe)
    assert (answered.code, answered.out, answered.err) == (0, "pass\n", "")
    assert json.loads(running.run("health", probe, "--json").out) == {"status": "pass"}


def test_a_provider_that_fails_leaves_the_server_ready_and_is_shown(running: Shell) -> None:
    assert running.run("deploy", "talker.toml").code == 0
    assert running.run("send", "talker", "please fail").code == 1
    told = until_told(lambda: running.run("health").out, "degraded")
    assert "provider play  warn" in told
    ready = running.run("health", "--ready")
    assert (ready.code, ready.out) == (0, "degraded\n  provider play\n")
    status = running.run("server", "status")
    assert status.code == 0
    assert "it serves, but not all is well:\n  provider play: The provider is asked" in status.out
    document = json.loads(running.run("server", "status", "--json").out)
    assert (document["status"], document["ready"]) == ("degraded", True)


def test_a_server_that_drains_is_alive_and_not_ready(configured: Shell) -> None:
    configured.write("scenario.toml", SLOW)
    with foreground(configured) as process:
        assert configured.run("deploy", "talker.toml").code == 0
        waiting = configured.spawn("send", "talker", "hello")
        until_it_has_children(process.pid, 2)
        process.send_signal(signal.SIGTERM)
        told = until_told(lambda: configured.run("health", "--ready").out, "draining")
        assert told == "draining\n"
        assert configured.run("health", "--ready").code == 1
        assert configured.run("health", "--live").code == 0
        assert "it is not ready (draining)" in configured.run("server", "status").out
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        waiting.communicate(timeout=20)


def test_nobody_answers(shell: Shell) -> None:
    for probe in ("--ready", "--live", "--startup"):
        assert shell.run("health", probe, CAXTON_PORT=unused_port()).code == 3


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ('{"status": "UP"}', "application/json", 200),
        ("<h1>It works!</h1>", "text/html", 200),
        ('{"detail": "Not Found"}', "application/json", 404),
        ("", "text/plain", 403),
    ],
)
def test_no_other_program_is_taken_for_caxton(
    shell: Shell, body: str, kind: str, status: int
) -> None:
    with another_program(body, kind, status) as url:
        seen = shell.run("server", "status", "--url", url)
        assert (seen.code, seen.out.startswith("server is not running")) == (3, True)
        assert shell.run("health", "--ready", "--url", url).code == 3


def test_the_reasons_are_told_to_who_has_the_token(configured: Shell) -> None:
    token = {"CAXTON_API_TOKEN": "a-long-enough-token"}
    with foreground(configured, **token):
        assert configured.run("server", "status").code == 0
        assert configured.run("health").out == "pass\n"
        assert "database" in configured.run("health", **token).out
