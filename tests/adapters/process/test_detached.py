import os
import signal
import sys
from pathlib import Path

import pytest

from caxton_adapters.process.detached import Started, start_detached
from caxton_adapters.process.readiness import (
    VARIABLE,
    Died,
    ReadinessPipe,
    Ready,
    Refused,
    StillStarting,
    decode,
    inherited,
)

SAYS_READY = f"""
import os, time
known = b'"agents": 2, "providers": 1, "doubt": ""'
word = b'{{"url": "http://x", "pid": %d, %b}}' % (os.getpid(), known)
os.write(int(os.environ["{VARIABLE}"]), word)
os.close(int(os.environ["{VARIABLE}"]))
time.sleep(60)
"""


def started(tmp_path: Path, program: str, timeout: float = 20) -> Started:
    log = tmp_path / "server.log"
    return start_detached([sys.executable, "-c", program], log, os.environ, timeout)


def test_the_starter_learns_when_the_server_answers(tmp_path: Path) -> None:
    told = started(tmp_path, SAYS_READY)
    os.kill(told.pid, signal.SIGKILL)
    os.waitpid(told.pid, 0)
    assert told.outcome == Ready("http://x", told.pid, 2, 1)


def test_a_server_that_dies_leaves_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_text("from an earlier run\n")
    told = started(tmp_path, "raise SystemExit('no disk')")
    assert told.outcome == Died()
    assert told.tail == "no disk\n"


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    told = started(tmp_path, "import time; time.sleep(60)", timeout=0.2)
    os.kill(told.pid, signal.SIGKILL)
    os.waitpid(told.pid, 0)
    assert told.outcome == StillStarting()


def test_the_server_leads_a_session_of_its_own(tmp_path: Path) -> None:
    told = started(tmp_path, SAYS_READY)
    session = os.getsid(told.pid)
    os.kill(told.pid, signal.SIGKILL)
    os.waitpid(told.pid, 0)
    assert session == told.pid


@pytest.mark.parametrize(
    "word",
    [
        Ready("http://x", 7, 2, 1, "it has ended"),
        Refused("port in use", 6, "CX2103", "another port", "x\n"),
    ],
)
def test_a_word_arrives_as_it_was_said(word: Ready | Refused) -> None:
    reading, writing = os.pipe()
    ReadinessPipe(writing).say(word)
    with os.fdopen(reading, "rb") as pipe:
        assert decode(pipe.read()) == word


def test_a_starter_that_went_away_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ReadinessPipe(writing).say(Ready("http://x", 7))


def test_the_pipe_is_not_inherited_by_the_servers_children() -> None:
    reading, writing = os.pipe()
    environ = {VARIABLE: str(writing)}
    pipe = inherited(environ)
    assert (environ, os.get_inheritable(writing)) == ({}, False)
    pipe.close()
    os.close(reading)
