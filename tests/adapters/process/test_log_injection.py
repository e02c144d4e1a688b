"""Whatever stands in a fact, a line of the log is one line, and shows what is in it."""

import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.auth.token import new_token
from caxton_adapters.process.log import Log, LogFormat

HOSTILE = {
    "newline": 'a\n2026-11-28T00:00:00Z error   forged.line code="CX0"',
    "carriage return": "a\rforged",
    "line separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "colours": "\x1b[2J\x1b[31mred\x1b[0m",
    "title of the terminal": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://evil.example\x1b\\\\click\x1b]8;;\x1b\\\\",
    "control sequences in one byte": "\x9b31mred\x9d0;owned\x9c",
    "delete and backspace": "secret\x7f\x08\x08\x08",
    "written backwards": "\u202eelif.exe\u202c \u2066x\u2069 \u200fy",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade",
    "tags": "a\U000e0041\U000e0042",
    "nul": "a\x00b",
    "quotes": '"}, {"event": "forged"} \\" \\\\',
    "half a character": "\udcff\ud800",
}
FORMATS = (LogFormat.JSON, LogFormat.TEXT)
SHOWN = frozenset(" ")


def written(log_format: LogFormat, tmp_path: Path, event: str, **facts: object) -> bytes:
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    Log(descriptor, log_format=log_format).error(event, **facts)
    os.close(descriptor)
    return path.read_bytes()


def is_one_visible_line(line: bytes) -> bool:
    text = line.decode("utf-8")
    kinds = {unicodedata.category(character) for character in text[:-1] if character != " "}
    return text.endswith("\n") and not kinds & {"Cc", "Cf", "Zl", "Zp", "Cs"}


PLACES: dict[str, Callable[[str], dict[str, object]]] = {
    "a text": lambda text: {"path": text},
    "a name": lambda text: {"facts": {text: 1}},
    "inside": lambda text: {"nested": [{"why": text}, (text,)]},
    "an exception": lambda text: {"error": ValueError(text)},
    "a path": lambda text: {"file": Path(text.replace("\0", "0"))},
}


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_fact_stays_inside_its_line(
    text: str, place: Callable[[str], dict[str, object]], log_format: LogFormat, tmp_path: Path
) -> None:
    assert is_one_visible_line(written(log_format, tmp_path, "request.failed", **place(text)))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_program_reads_the_fact_as_it_was(text: str, tmp_path: Path) -> None:
    line = json.loads(written(LogFormat.JSON, tmp_path, "request.failed", path=text))
    assert line["event"] == "request.failed"
    assert line["path"] == text.encode("utf-8", "backslashreplace").decode()


@given(st.text())
@pytest.mark.parametrize("log_format", FORMATS)
def test_no_text_breaks_a_line(
    tmp_path_factory: pytest.TempPathFactory, log_format: LogFormat, text: str
) -> None:
    line = written(log_format, tmp_path_factory.getbasetemp(), "x", fact=text)
    assert line.count(b"\n") == 1
    assert b"\x1b" not in line


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_token_that_was_given_out_is_hidden_wherever_it_stands(
    log_format: LogFormat, tmp_path: Path
) -> None:
    token = new_token().reveal()
    line = written(log_format, tmp_path, "x", path=f"/agents?token={token}&x=1", list=[token])
    assert token.encode() not in line
    assert line.count(b"***") == 2
