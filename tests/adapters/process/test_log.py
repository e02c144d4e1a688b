import io
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caxton_adapters.process.log import Log, LogFormat, LogLevel, open_log
from caxton_adapters.process.stdlib_logging import ToLog
from caxton_adapters.secrets import Secret

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def pipe() -> Iterator[tuple[io.BufferedReader, int]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader:
        yield reader, writing
        os.close(writing)


def line(pipe: tuple[io.BufferedReader, int]) -> bytes:
    return pipe[0].readline()


def test_an_event_is_one_json_object_with_its_time(pipe: tuple[io.BufferedReader, int]) -> None:
    Log(pipe[1], clock=lambda: NOON).info("server.ready", port=8080)
    assert json.loads(line(pipe)) == {
        "time": "2026-11-22T12:00:00Z",
        "level": "info",
        "event": "server.ready",
        "port": 8080,
    }


def test_events_below_the_level_are_not_written(pipe: tuple[io.BufferedReader, int]) -> None:
    log = Log(pipe[1], LogLevel.WARNING)
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert json.loads(line(pipe))["event"] == "c"


@pytest.mark.parametrize("secret", ["sk-canary", 'with "quotes" and \\', "ключ\n"])
@pytest.mark.parametrize("log_format", [LogFormat.JSON, LogFormat.TEXT])
def test_a_secret_leaves_no_trace_in_a_line(
    pipe: tuple[io.BufferedReader, int], secret: str, log_format: LogFormat
) -> None:
    hidden = Secret(secret)
    log = Log(pipe[1], log_format=log_format, secrets=[hidden])
    log.error("call.failed", key=hidden, reason=f"key {secret} was refused", nested={"a": [secret]})
    written = line(pipe)
    assert secret.encode() not in written
    assert json.dumps(secret, ensure_ascii=False)[1:-1].encode() not in written
    assert b"***" in written


def test_a_secret_that_is_told_later_is_hidden_from_then_on(
    pipe: tuple[io.BufferedReader, int],
) -> None:
    log = Log(pipe[1])
    log.hide([Secret("canary"), Secret("canary-bird")])
    log.error("call.failed", reason="canary-bird, canary")
    assert b'"***, ***"' in line(pipe)


def test_an_event_as_text_reads_like_a_sentence(pipe: tuple[io.BufferedReader, int]) -> None:
    log = Log(pipe[1], log_format=LogFormat.TEXT, clock=lambda: NOON)
    log.info("server.ready", url="http://x", pid=7)
    assert line(pipe) == (
        b'2026-11-22T12:00:00.000+00:00 info    server.ready url="http://x" pid=7\n'
    )


def test_a_log_whose_reader_is_gone_does_not_fail() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Log(writing).info("nobody.reads")
    os.close(writing)


def test_a_log_file_is_private_and_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    for event in ("first", "second"):
        open_log(path, LogLevel.INFO, LogFormat.AUTO, []).info(event)
    assert [json.loads(text)["event"] for text in path.read_text().splitlines()] == [
        "first",
        "second",
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_library_logs_is_an_event(pipe: tuple[io.BufferedReader, int]) -> None:
    record = logging.makeLogRecord(
        {"name": "some.library", "levelno": logging.WARNING, "msg": "%s is odd", "args": ("this",)}
    )
    ToLog(Log(pipe[1])).handle(record)
    written = json.loads(line(pipe))
    assert (written["level"], written["logger"], written["message"]) == (
        "warning",
        "some.library",
        "this is odd",
    )
