"""STORY-002: a stable server process."""

import json
import shutil
import signal
import socket
import subprocess
from datetime import datetime
from pathlib import Path
from time import monotonic
from urllib.request import urlopen

import pytest

from caxton_cli import places
from tests.acceptance.criteria import criterion
from tests.cli.command import CAXTON, Shell
from tests.cli.processes import (
    DEADLINE,
    family_of,
    foreground,
    log_of,
    owner,
    until_gone,
)
from tests.docs.page import INFO
from tests.waiting import slowness

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "deploy.md"
START_BUDGET = 2.0
ATTEMPTS = 5


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def answers(url: str) -> bool:
    with urlopen(f"{url}/health", timeout=DEADLINE) as answer:
        return bool(json.loads(answer.read())["status"] == "pass")


@criterion("STORY-002.1")
def test_the_server_binds_the_port_that_it_is_given(shell: Shell) -> None:
    assert places.configured_url({"CAXTON_HOME": str(shell.directory)}).endswith(":8080")
    shown = json.loads(shell.run("config", "show", "--json").out)
    assert {"key": "server.port", "value": 8080, "source": "default"} in shown
    port = free_port()
    assert shell.run("server", "start", "--port", str(port)).code == 0
    assert answers(f"http://127.0.0.1:{port}")
    assert shell.run("server", "stop").code == 0


@criterion("STORY-002.2", "STORY-002.6")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_nothing_left(shell: Shell, number: signal.Signals) -> None:
    with foreground(shell) as process:
        family = family_of(process.pid)
        port = int(str(owner(shell)["url"]).rpartition(":")[2])
        process.send_signal(number)
        process.communicate(timeout=DEADLINE)
        until_gone(family)
    assert process.returncode == 0
    assert not (shell.directory / "data" / "caxton.pid").exists()
    socket.create_server(("127.0.0.1", port)).close()


@criterion("STORY-002.3")
def test_the_pid_file_says_who_runs(shell: Shell) -> None:
    with foreground(shell) as process:
        said = owner(shell)
        assert said["pid"] == process.pid
        assert answers(str(said["url"]))


@criterion("STORY-002.4")
def test_settings_come_from_the_environment_and_from_a_file(shell: Shell) -> None:
    first, second = free_port(), free_port()
    shell.write("caxton.toml", f'[server]\nport = {first}\ndata_dir = "from-file"')
    assert shell.run("server", "start").code == 0
    assert answers(f"http://127.0.0.1:{first}")
    assert (shell.directory / "from-file" / "caxton.pid").exists()
    assert shell.run("server", "stop").code == 0
    assert shell.run("server", "start", CAXTON_PORT=str(second)).code == 0
    assert answers(f"http://127.0.0.1:{second}")
    assert shell.run("server", "stop").code == 0


@criterion("STORY-002.5")
def test_the_log_says_when_the_server_began_and_ended(shell: Shell) -> None:
    assert shell.run("server", "start", "--port", "0").code == 0
    assert shell.run("server", "stop").code == 0
    times = {str(line["event"]): str(line["time"]) for line in log_of(shell)}
    ready = datetime.fromisoformat(times["server.ready"])
    stopped = datetime.fromisoformat(times["server.stopped"])
    assert ready < stopped
    assert stopped.tzinfo is not None


@criterion("STORY-002.D1")
def test_systemd_and_docker_can_manage_the_process(shell: Shell, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(DEADLINE)
        with foreground(shell, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            assert f"MAINPID={process.pid}" in systemd.recv(4096).decode()
            process.send_signal(signal.SIGTERM)
            assert "STOPPING=1" in systemd.recv(4096).decode()
            process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


@criterion("STORY-002.D2")
def test_the_server_answers_within_two_seconds(shell: Shell) -> None:
    taken = []
    for _ in range(ATTEMPTS):
        since = monotonic()
        started = shell.run("server", "start", "--port", "0", "--json")
        assert answers(json.loads(started.out)["url"])
        # What else runs on the machine is not the price of a start.
        taken.append((monotonic() - since) / slowness())
        assert shell.run("server", "stop").code == 0
        if taken[-1] < START_BUDGET:
            break
    assert min(taken) < START_BUDGET


def block_of(title: str) -> str:
    """A block of the deployment guide by its title."""
    for fence in GUIDE.read_text("utf-8").split("```")[1::2]:
        info = INFO.match(fence)
        if info is not None and info["title"] == title:
            return fence[info.end() :]
    raise KeyError(title)


@criterion("STORY-002.D3")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_of_the_deployment_guide_is_one_that_systemd_accepts(tmp_path: Path) -> None:
    unit = tmp_path / "caxton.service"
    unit.write_text(block_of("caxton.service").replace("/opt/caxton/bin/caxton", str(CAXTON)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@criterion("STORY-002.D3")
def test_the_image_of_the_deployment_guide_starts_the_server_that_there_is(shell: Shell) -> None:
    lines = block_of("Dockerfile").splitlines()
    words = next(line for line in lines if line.startswith("ENTRYPOINT")).partition(" ")[2]
    variables = next(line for line in lines if line.startswith("ENV")).split()[1:]
    environ = dict(variable.partition("=")[::2] for variable in variables)
    environ["CAXTON_DATA_DIR"] = str(shell.directory / "data")
    command = json.loads(words)
    assert command[:3] == ["caxton", "server", "start"]
    refused = shell.run(*command[1:], "--port", "0", **environ)
    assert (refused.code, "CX2105" in refused.err) == (6, True)
    environ["CAXTON_API_TOKEN"] = "a-token"
    refused = shell.run(*command[1:], "--port", "0", **environ)
    assert (refused.code, "CX2113" in refused.err) == (6, True)
    with foreground(shell, **environ, CAXTON_BEHIND_PROXY="true") as process:
        assert process.poll() is None
