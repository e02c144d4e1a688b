import json
import os
import signal
import socket
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import Shell, unused_port
from tests.cli.processes import (
    DEADLINE,
    family_of,
    foreground,
    log_of,
    owner,
    until_gone,
    until_it_has_children,
)

SLOW = '[[rules]]\nanswer = "one two three"\n[streaming]\ndelay = "60s"\n'


def test_a_server_is_started_seen_and_stopped(configured: Shell) -> None:
    started = configured.run("server", "start", "--port", "0", "--json")
    url = json.loads(started.out)["url"]
    seen = configured.run("server", "status")
    assert (seen.code, seen.out.startswith(f"caxton is running at {url}")) == (0, True)
    assert owner(configured)["url"] == url
    family = family_of(int(str(owner(configured)["pid"])))
    stopped = configured.run("server", "stop")
    assert (stopped.code, stopped.err) == (0, "")
    until_gone(family)
    assert configured.run("server", "status", CAXTON_PORT=unused_port()).code == 3
    assert not (configured.directory / "data" / "caxton.pid").exists()


def test_the_next_step_is_the_one_that_is_not_done(configured: Shell) -> None:
    first = configured.run("server", "start", "--port", "0")
    assert "next: caxton init hello" in first.err
    assert "provider" not in first.err
    configured.run("deploy", "talker.toml")
    configured.run("server", "stop")
    assert configured.run("server", "start", "--port", "0").err == "next: caxton list\n"
    assert configured.run("server", "stop").code == 0


def test_a_server_without_a_provider_says_how_to_get_one(shell: Shell) -> None:
    started = shell.run("server", "start", "--port", "0")
    told = started.err.splitlines()[0]
    assert told.startswith("no provider is configured: export OPENAI_API_KEY=")
    assert "OPENAI_BASE_URL" in told
    assert 'kind = "scripted"' in told
    assert shell.run("server", "stop").code == 0


def test_status_can_be_read_by_programs(running: Shell) -> None:
    document = json.loads(running.run("server", "status", "--json").out)
    assert (document["running"], document["ready"]) == (True, True)
    assert document["pid"] == owner(running)["pid"]
    elsewhere = running.run("server", "status", "--json", "--url", "http://127.0.0.1:9")
    assert (elsewhere.code, json.loads(elsewhere.out)["running"]) == (3, False)


def test_a_second_server_in_the_directory_is_refused(running: Shell) -> None:
    refused = running.run("server", "start", "--port", "0")
    assert refused.code == 6
    assert "CX2101" in refused.err
    assert f"PID {owner(running)['pid']}" in refused.err
    assert running.run("server", "status").code == 0


def test_a_port_in_use_is_told_with_its_owner_and_another_port(configured: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = configured.run("server", "start", "--port", str(port))
    assert refused.code == 6
    assert f"in use by the process with PID {os.getpid()}" in refused.err
    assert "--port" in refused.err


@pytest.mark.parametrize("detached", [True, False])
def test_a_public_server_without_a_token_is_refused(configured: Shell, *, detached: bool) -> None:
    where = () if detached else ("--foreground",)
    refused = configured.run("server", "start", "--host", "0.0.0.0", "--port", "0", *where)
    assert refused.code == 6
    assert "CAXTON_API_TOKEN" in refused.err


def test_a_directory_that_cannot_be_used_is_told(configured: Shell) -> None:
    configured.write("file", "")
    refused = configured.run("server", "start", "--data-dir", "file/data")
    assert refused.code == 6
    assert "CX2102" in refused.err


def test_a_directory_on_which_nothing_can_be_written_is_told(configured: Shell) -> None:
    refused = configured.run("server", "start", "--data-dir", "/sys/kernel")
    assert refused.code == 6
    assert "CX2102" in refused.err


def test_settings_that_cannot_be_read_are_told(configured: Shell) -> None:
    refused = configured.run("server", "start", "--config", "missing.toml")
    assert refused.code == 6
    assert "CX2107" in refused.err


def test_settings_with_problems_are_told_with_their_lines(configured: Shell) -> None:
    configured.write("caxton.toml", "[server]\nprot = 1\n")
    refused = configured.run("server", "start")
    assert refused.code == 4
    assert "caxton.toml:2:1" in refused.err
    assert "Did you mean `port`?" in refused.err


def test_a_stale_pid_file_is_no_obstacle(configured: Shell) -> None:
    (configured.directory / "data").mkdir()
    stale = {"pid": os.getpid(), "url": "http://127.0.0.1:9", "version": "0", "started": "then"}
    configured.write("data/caxton.pid", json.dumps(stale))
    assert configured.run("server", "status", CAXTON_PORT=unused_port()).code == 3
    assert configured.run("server", "stop").code == 3
    assert configured.run("server", "start", "--port", "0").code == 0
    assert configured.run("server", "stop").code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_and_leaves_nothing(
    configured: Shell, number: signal.Signals
) -> None:
    with foreground(configured) as process:
        assert configured.run("deploy", "talker.toml").code == 0
        assert configured.run("send", "talker", "hello").out == "You said: hello\n"
        family = family_of(process.pid)
        assert len(family) > 1
        process.send_signal(number)
        _, err = process.communicate(timeout=DEADLINE)
        until_gone(family)
    assert process.returncode == 0
    assert "server.stopped" in err
    assert sorted(path.name for path in (configured.directory / "data").iterdir()) == [
        "caxton.db",
        "caxton.db-lock",
        "caxton.db-reserve",
        "server.lock",
    ]


def test_a_second_signal_ends_the_server_at_once(configured: Shell) -> None:
    configured.write("scenario.toml", SLOW)
    with foreground(configured) as process:
        assert configured.run("deploy", "talker.toml").code == 0
        waiting = configured.spawn("chat", "talker")
        assert waiting.stdin is not None
        waiting.stdin.write("hello\n")
        waiting.stdin.flush()
        family = until_it_has_children(process.pid, 2)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert any("server.stopping" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        until_gone(family)
        waiting.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_server_that_was_killed_can_be_started_again(configured: Shell) -> None:
    with foreground(configured) as process:
        assert configured.run("deploy", "talker.toml").code == 0
        assert configured.run("send", "talker", "hello").code == 0
        family = family_of(process.pid)
        process.kill()
        process.communicate()
        until_gone(family)
    assert configured.run("server", "start", "--port", "0").code == 0
    names = json.loads(configured.run("list", "--json").out)["agents"]
    assert [agent["name"] for agent in names] == ["talker"]
    assert configured.run("send", "talker", "again").out == "You said: again\n"
    assert configured.run("server", "stop").code == 0


def test_the_log_tells_start_and_stop_with_their_times(configured: Shell) -> None:
    before = datetime.now().astimezone() - timedelta(seconds=1)
    assert configured.run("server", "start", "--port", "0").code == 0
    assert configured.run("server", "stop").code == 0
    events = {str(line["event"]): line for line in log_of(configured)}
    names = ["server.starting", "server.ready", "server.stopping", "server.stopped"]
    times = [datetime.fromisoformat(str(events[name]["time"])) for name in names]
    assert sorted(times) == times
    assert before < times[0] < datetime.now().astimezone()
    assert events["server.stopping"]["cause"] == "SIGTERM"


def test_everything_that_is_kept_is_private(running: Shell) -> None:
    data = running.directory / "data"
    assert data.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in data.iterdir()} == {0o600}


def test_the_supervisor_hears_how_the_server_does(configured: Shell, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(DEADLINE)
        heard: list[str] = []

        def hear(word: str) -> None:
            while not any(word in message for message in heard):
                heard.append(supervisor.recv(4096).decode())

        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        with foreground(configured, **variables) as process:
            hear("READY=1")
            assert f"MAINPID={process.pid}" in heard[-1]
            hear("WATCHDOG=1")
            process.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
            process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


def test_a_public_server_answers_only_who_has_its_token(configured: Shell) -> None:
    host = {"CAXTON_HOST": "0.0.0.0", "CAXTON_API_TOKEN": "canary-token"}
    started = configured.run("server", "start", "--port", "0", "--behind-proxy", **host)
    assert started.code == 0, started.err
    assert configured.run("list").code == 5
    assert configured.run("list", "--token", "wrong").code == 5
    assert configured.run("list", "--token", "canary-token").code == 0
    configured.write("token", "canary-token\n")
    assert configured.run("list", CAXTON_API_TOKEN_FILE="token").code == 0
    assert configured.run("server", "status").code == 0
    assert configured.run("server", "stop").code == 0
    assert "canary" not in (configured.directory / "data" / "server.log").read_text()


def test_stop_waits_no_longer_than_it_may(configured: Shell) -> None:
    configured.write("scenario.toml", SLOW)
    assert configured.run("server", "start", "--port", "0").code == 0
    assert configured.run("deploy", "talker.toml").code == 0
    asking = threading.Thread(target=configured.run, args=("send", "talker", "hello"))
    asking.start()
    until_it_has_children(int(str(owner(configured)["pid"])), 2)
    late = configured.run("server", "stop", "--timeout", "0.3")
    assert (late.code, "--force" in late.err) == (1, True)
    assert configured.run("server", "stop", "--force").code == 0
    asking.join()
