"""A server's own secrets, wherever it says them: they are not shown."""

import sys
from pathlib import Path

import pytest
from returns.result import Success

from caxton_adapters.mcp.listed import Answered, Late, Lost
from caxton_adapters.mcp.masking import Masking
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.said import Said
from caxton_core.reading.tables import read
from caxton_core.tools.tool import ToolFailed
from tests.mcp_server import small_table
from tests.mcp_server.serving import InADict, call, serving, view

KEY = "sk-live-0123456789abcdefXYZ"
PROGRAM = "import os, sys; sys.exit('cannot log in with ' + os.environ['API_KEY'])"


def registered(**keys: object) -> Registration:
    written = read(Registration, keys)
    assert isinstance(written, Success)
    return written.unwrap()


async def test_a_key_on_standard_error_is_shown_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "caxton.mcp")
    written = registered(command=sys.executable, args=["-c", PROGRAM], env={"API_KEY": KEY})
    async with serving(tmp_path / "caxton.lock", {"small": written}) as servers:
        await servers.test("small")
        result = await call(servers, "small.echo", text="hi")
        assert "cannot log in with ***" in view(servers).reason
        assert isinstance(result, ToolFailed)
        assert "cannot log in with ***" in result.why
    assert KEY not in caplog.text


def test_a_key_that_comes_in_pieces_or_stands_at_a_cut_is_found() -> None:
    said = Said("small", Masking([KEY]))
    for piece in (b"x" * 800, KEY[:10].encode(), KEY[10:].encode(), b" end"):
        said.on_stderr(piece)
    said.on_garbage(b"{" + KEY.encode())
    assert KEY[:8] not in said.ended("it ended")
    assert "*** end" in said.ended("it ended")


def test_a_credential_is_found_without_its_scheme_and_within_json() -> None:
    headers = {"Authorization": f'Bearer {KEY}"quoted', "Accept": "text/html, text/plain"}
    secrets = registered(url="https://tools.example.org/mcp", headers=headers).secrets()
    masking = Masking(secrets)
    assert masking.text(f'{{"key": "{KEY}\\"quoted"}}') == '{"key": "***"}'
    assert masking.text("text/plain") == "text/plain"
    assert masking.outcome(Answered(f'{KEY}"quoted')) == Answered("***")
    assert masking.outcome(Lost(f'{KEY}"quoted')) == Lost("***")
    assert masking.outcome(Late(1)) == Late(1)


def test_the_query_of_an_address_is_found_in_each_form_in_which_it_may_be_repeated() -> None:
    secrets = registered(url="https://tools.example.org/mcp?key=top%20secret&format=json").secrets()
    masking = Masking(secrets)
    for said in ("key=top%20secret&format=json", "top%20secret", "top secret"):
        assert masking.text(f"nothing at {said}!") == "nothing at ***!"
    assert masking.text("format=json") == "format=json"


def test_a_short_value_is_no_secret_of_texts() -> None:
    assert Masking(["3"]).text("30 of 3") == "30 of 3"


async def test_the_log_hears_of_the_secrets_of_registrations_that_are_added(tmp_path: Path) -> None:
    heard: list[str] = []
    async with serving(
        tmp_path / "caxton.lock",
        {},
        store=InADict(),
        hide=lambda secrets: heard.extend(each.reveal() for each in secrets),
    ) as servers:
        await servers.add("small", small_table(env={"API_KEY": KEY}))
    assert heard == [KEY]
