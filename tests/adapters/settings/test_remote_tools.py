"""Addresses of remote tool servers and their tokens: what an operator may write, and what not."""

from pathlib import Path

import pytest
from returns.result import Failure, Success

from caxton_adapters.settings import InvalidSettings, Surroundings, load
from caxton_adapters.settings.showing import shown_settings
from caxton_core.codes.explanation import Explanation
from caxton_core.codes.remote_tools import REMOTE_TOOLS
from caxton_core.primitives import ServerName
from caxton_core.reading.report import human

CREDENTIALS = """
[mcp.servers.files]
url = "https://tools.example.org/mcp"

[mcp.servers.files.oauth]
grant = "client_credentials"
client_id = "caxton"
client_secret = "${TOOLS_SECRET}"
issuer = "https://login.example.org"
"""


def around(tmp_path: Path, text: str, **environ: str) -> Surroundings:
    path = tmp_path / "caxton.toml"
    path.write_text(text)
    return Surroundings(
        flags={}, environ=environ, named_file=None, usual_files=(str(path),), default_data_dir="/x"
    )


def told(tmp_path: Path, text: str) -> str:
    result = load(around(tmp_path, text))
    assert isinstance(result, Failure)
    problem = result.failure()
    assert isinstance(problem, InvalidSettings)
    return "".join(map(human, problem.reports))


@pytest.mark.parametrize("each", REMOTE_TOOLS, ids=lambda each: each.code)
def test_what_a_code_calls_wrong_is_told_and_what_it_calls_right_is_read(
    each: Explanation, tmp_path: Path
) -> None:
    assert each.code in told(tmp_path, each.wrong)
    assert isinstance(load(around(tmp_path, each.right)), Success)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://tools.example.org/mcp", "use https://"),
        ("https://169.254.169.254/mcp", "cloud metadata address"),
        ("https://10.0.0.7/mcp", "private address"),
        ("https://0x7f.1/mcp", "neither a name nor a number"),
        ("https://[::ffff:10.0.0.7]/mcp", "IPv4 within IPv6"),
    ],
)
def test_an_address_out_of_reach_is_a_problem_of_the_settings(
    url: str, why: str, tmp_path: Path
) -> None:
    said = told(tmp_path, f'[mcp.servers.files]\nurl = "{url}"\n')
    assert "CX2241" in said
    assert why in said


def test_a_secret_without_its_authorization_server_is_a_problem(tmp_path: Path) -> None:
    oauth = 'oauth = { client_id = "caxton", client_secret = "secret" }'
    said = told(tmp_path, f'[mcp.servers.files]\nurl = "https://tools.example.org/mcp"\n{oauth}\n')
    assert "`issuer`" in said


def test_tokens_are_of_an_address_and_not_of_a_command(tmp_path: Path) -> None:
    assert "CX2211" in told(tmp_path, '[mcp.servers.files]\ncommand = "npx"\noauth = {}\n')


def test_the_secret_of_a_client_is_shown_to_nobody(tmp_path: Path) -> None:
    loaded = load(around(tmp_path, CREDENTIALS, TOOLS_SECRET="open-sesame"))
    assert isinstance(loaded, Success)
    settings = loaded.unwrap().settings
    table = settings.tool_servers[ServerName("files")].oauth
    assert table is not None
    assert table.client_secret is not None
    assert table.client_secret.value == "open-sesame"
    assert "open-sesame" in [secret.reveal() for secret in settings.secrets()]
    shown = "".join(each.toml() for each in shown_settings(loaded.unwrap()))
    assert "open-sesame" not in shown + repr(settings)
