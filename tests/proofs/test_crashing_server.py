"""The fuse blows where it is told to: what was committed is there, what was not is not."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.crashing_server import KILLED
from tests.proofs.installation import ROOT

SCRIPT = """
import sqlite3, sys
from tests.proofs.crashing_server import Fuse, counted
kind = counted(Fuse(sys.argv[2]))
connection = sqlite3.connect(sys.argv[1], factory=kind, isolation_level=None)
connection.execute("CREATE TABLE t (n)")
connection.execute("INSERT INTO t VALUES (1)")
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO t VALUES (2)")
connection.execute("INSERT INTO t VALUES (3)")
connection.execute("COMMIT")
with sqlite3.connect(sys.argv[1], factory=kind) as other:
    other.execute("INSERT INTO t VALUES (4)")
"""


@pytest.mark.parametrize(
    ("fuse", "rows", "code"),
    [
        ("before:1", 0, KILLED),
        ("after:1", 1, KILLED),
        ("before:2", 1, KILLED),
        ("after:2", 3, KILLED),
        ("before:3", 3, KILLED),
        ("after:3", 4, KILLED),
        ("before:4", 4, 0),
    ],
)
def test_the_process_ends_around_the_commit(
    fuse: str, rows: int, code: int, tmp_path: Path
) -> None:
    path = tmp_path / "db"
    command = [sys.executable, "-c", SCRIPT, str(path), fuse]
    ended = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False)
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("SELECT count(*) FROM t").fetchone()
    connection.close()
    assert (ended.returncode, found) == (code, rows)
