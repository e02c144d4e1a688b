"""`[mcp.servers.NAME]` is read with its variables, its mistakes have places, its secrets none."""

from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.mcp.without_secrets import without_secrets
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
    assert server.target == "npx -y server '${PLACE}'"
    assert server.args[2].value == "/docs"
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


KEY = "canary-4711-of-nobody"
WITH_VARIABLES = """
[mcp.servers.program]
command = "${KEY}"
args = ["--api-key", "${KEY}", "--pin=${PIN}", "${HOME}/docs", "$${KEY}"]
env = { DSN = "https://${KEY}@example.org" }
[mcp.servers.hosted]
url = "https://tools.example.org/s/${KEY}/mcp?pin=${PIN}"
[mcp.servers.whole]
url = "${ADDRESS}"
"""


def test_what_variables_have_is_shown_nowhere_and_their_names_are(tmp_path: Path) -> None:
    address = f"https://tools.example.org/mcp?key={KEY}"
    found = loaded(
        around(tmp_path, WITH_VARIABLES, KEY=KEY, PIN="0815", HOME="/home/me", ADDRESS=address)
    )
    servers = {name.value: each for name, each in found.settings.tool_servers.items()}
    assert {name: server.target for name, server in servers.items()} == {
        "program": "'${KEY}' --api-key '${KEY}' '--pin=${PIN}' '${HOME}/docs' '${KEY}'",
        "hosted": "https://tools.example.org/s/${KEY}/mcp?***",
        "whole": "${ADDRESS}",
    }
    told: list[object] = [without_secrets(server).members() for server in servers.values()]
    told += [one.value for one in shown_settings(found)]
    for text in (repr(servers), str(told)):
        assert KEY not in text
        assert "0815" not in text
    secrets = {secret.reveal() for secret in found.settings.secrets()}
    assert secrets == {
        KEY,
        address,
        *(f"key={KEY}", f"key%3D{KEY}"),
        *("pin=0815", "pin%3D0815"),
    }


def test_of_two_files_the_variables_of_the_stronger_one_count(tmp_path: Path) -> None:
    weaker, stronger = tmp_path / "weaker.toml", tmp_path / "stronger.toml"
    weaker.write_text('[mcp.servers.files]\ncommand = "files"\nargs = ["${KEY}"]')
    stronger.write_text('[mcp.servers.files]\nargs = ["mine", "${PLACE}"]')
    surroundings = Surroundings(
        flags={},
        environ={"KEY": KEY, "PLACE": "/srv"},
        named_file=None,
        usual_files=(str(stronger), str(weaker)),
        default_data_dir="/x",
    )
    assert loaded(surroundings).settings.tool_servers[FILES].target == "files mine '${PLACE}'"


@pytest.mark.parametrize(
    "text",
    [
        '[mcp.servers.files]\nurl = "ftp://${KEY}.example.org"',
        '[mcp.servers.files]\nurl = "http://${KEY}.example.org/mcp"',
        '[mcp.servers.files]\ncommand = "a"\nfallback = "${KEY}"',
        '[mcp.servers.files]\ncommand = "a"\nargs = ["../${KEY}"]',
        '[logging]\nlevel = "${KEY}"',
        '[server]\nhost = "${KEY}/"',
    ],
)
def test_a_mistake_is_told_without_what_variables_have(tmp_path: Path, text: str) -> None:
    assert KEY not in told(around(tmp_path, text, KEY=KEY))
    assert KEY[:9] not in told(around(tmp_path, text, KEY=KEY * 9))


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
