"""`[mcp.servers.NAME]` is read with its variables, its mistakes have places, its secrets none."""

from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.secrets import MASK
from caxton_adapters.settings import InvalidSettings, Loaded, Surroundings, load
from caxton_adapters.settings.showing import shown_settings
from caxton_core.primitives import ServerName
from caxton_core.reading.report import human

FILES = ServerName("files")


def around(tmp_path: Path, text: str, **environ: str) -> Surroundings:
    path = tmp_path / "caxton.toml"
    path.write_text(text)
    return Surroundings(
        flags={}, environ=environ, named_file=None, usual_files=(str(path),), default_data_dir="/x"
    )


def loaded(surroundings: Surroundings) -> Loaded:
    result = load(surroundings)
    assert isinstance(result, Success), result
    return result.unwrap()


def told(surroundings: Surroundings) -> str:
    result = load(surroundings)
    assert isinstance(result, Failure)
    problem = result.failure()
    assert isinstance(problem, InvalidSettings)
    return "".join(map(human, problem.reports))


def test_a_server_is_read_with_its_variables(tmp_path: Path) -> None:
    text = """
    [mcp.servers.files]
    command = "npx"
    args = ["-y", "server", "${PLACE}"]
    env = { API_KEY = "${FILES_KEY}", LEVEL = "3" }
    timeout = "5s"
    tools.read.timeout = "1m"
    """
    settings = loaded(around(tmp_path, text, PLACE="/docs", FILES_KEY="k3y")).settings
    server = settings.tool_servers[FILES]
    assert server.target == "npx -y server /docs"
    assert server.env["API_KEY"].value == "k3y"
    assert [secret.reveal() for secret in settings.secrets()] == ["k3y"]
    assert (server.timeout_of("read"), server.timeout_of("write")) == (60.0, 5.0)


def test_what_may_be_secret_is_never_shown(tmp_path: Path) -> None:
    text = """
    [mcp.servers.files]
    url = "https://tools.example.org/mcp?key=s3cret"
    headers = { Authorization = "Bearer s3cret" }
    [mcp.servers.other]
    command = "other"
    env = { WORD = "s3cret" }
    """
    found = loaded(around(tmp_path, text))
    shown = {one.path: one.value for one in shown_settings(found)}
    assert shown["mcp", "servers", "files", "headers", "Authorization"] == MASK
    assert shown["mcp", "servers", "other", "env", "WORD"] == MASK
    assert "s3cret" not in repr(found.settings.tool_servers)
    assert found.settings.tool_servers[FILES].target == "https://tools.example.org/mcp?***"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("CX2210", "[mcp.servers.files]\nenabled = true"),
        ("CX2210", '[mcp.servers.files]\ncommand = "a"\nurl = "https://b.example"'),
        ("CX2211", '[mcp.servers.files]\nurl = "https://b.example"\nargs = ["a"]'),
        ("CX2211", '[mcp.servers.files]\nurl = "https://b.example"\nlimits = { open_files = 9 }'),
        ("CX2211", '[mcp.servers.files]\ncommand = "a"\nheaders = { A = "b" }'),
        ("CX2212", '[mcp.servers.files]\ncommand = "a"\nfallback = "files"'),
        ("CX2212", '[mcp.servers.files]\ncommand = "a"\nfallback = "spare"'),
        ("CX2213", '[mcp.servers.memory]\ncommand = "a"'),
        ("CX2214", '[mcp.servers.files]\ncommand = "a"\nenv = { "A=B" = "c" }'),
        ("CX2216", '[mcp.servers.files]\ncommand = "a"\nargs = ["--root=../docs"]'),
        ("CX2216", '[mcp.servers.files]\ncommand = "a"\nargs = ["~"]\ncwd = "/srv"'),
        ("CX2216", '[mcp.servers.files]\ncommand = "a"\nenv = { STORE = "./store.json" }'),
        ("CX1102", '[mcp.servers."a.b"]\ncommand = "a"'),
        ("CX1102", '[mcp.servers.files]\nurl = "https://b.example"\nheaders = { A = "b\\nc" }'),
        ("CX1102", '[mcp.servers.files]\nurl = "https://me:word@b.example"'),
    ],
)
def test_mistakes_are_told(tmp_path: Path, code: str, text: str) -> None:
    assert f"[{code}]" in told(around(tmp_path, text))


def test_a_relative_path_is_taken_where_it_is_said_where_it_begins(tmp_path: Path) -> None:
    text = """
    [mcp.servers.files]
    command = "files"
    args = [".", "~/docs", "..."]
    cwd = "/srv"
    env = { HOME = "/home/me", STORE = "./store.json" }
    """
    assert loaded(around(tmp_path, text)).settings.tool_servers[FILES].target


def test_limits_of_a_program_are_read(tmp_path: Path) -> None:
    text = '[mcp.servers.files]\ncommand = "a"\nlimits = { memory = "2GB", open_files = 100 }'
    limits = loaded(around(tmp_path, text)).settings.tool_servers[FILES].program_limits
    assert limits.written() == {"memory": "2GB", "open_files": "100", "file_size": "8GB"}


def test_a_rule_is_told_at_its_place(tmp_path: Path) -> None:
    text = '[mcp.servers.files]\ncommand = "a"\nfallback = "spare"\n'
    assert "caxton.toml:3:12" in told(around(tmp_path, text))


def test_a_header_that_is_wrong_is_not_told(tmp_path: Path) -> None:
    text = '[mcp.servers.files]\nurl = "https://b.example"\nheaders = { A = "${WORD}" }'
    shown = told(around(tmp_path, text, WORD="s3cret\n"))
    assert "[CX1102]" in shown
    assert "s3cret" not in shown
