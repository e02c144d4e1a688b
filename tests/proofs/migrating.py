"""Killed while the schema is made or brought up to date, around every commit: the next start works.

Every earlier version of the schema is a beginning, and so is a directory without a database.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio

from caxton_adapters.database.migrations import migrate, migrations
from tests.proofs.crash import CRASHING
from tests.proofs.crashing_server import KILLED
from tests.proofs.installation import Installation, NotReadyError, installation
from tests.proofs.io_errors import integrity
from tests.proofs.report import Report

MOST_COMMITS = 40
"""More than a migration has: a start that does not end by then is a fault."""


async def prove(*, whole: bool = True) -> Report:
    """From each version kill before and after each commit; in part, after every third commit."""
    faults: list[str] = []
    counts: dict[str, str] = {}
    newest = len(migrations())
    for version in range(newest) if whole else sorted({0, newest - 1}):
        killed = 0
        for moment in ("before", "after") if whole else ("after",):
            for commit in range(1, MOST_COMMITS, 1 if whole else 3):
                with installation() as here:
                    if not await _killed_at(here, version, f"{moment}:{commit}", faults):
                        break
                killed += 1
            else:
                faults.append(f"from version {version} the server never became ready")
        counts[f"from version {version}"] = f"killed at {killed} commits"
    return Report("migration", counts, faults)


async def _killed_at(here: Installation, version: int, fuse: str, faults: list[str]) -> bool:
    """Whether the fuse blew before the server was ready; then it starts without one."""
    here.configure({})
    if version:
        here.data.mkdir(mode=0o700)
        _make(here.database, version)
    here.start(("-m", CRASHING, fuse))
    try:
        await here.ready()
    except NotReadyError:
        if here.ended_with != KILLED:
            faults.append(f"version {version}, {fuse}: ended with {here.ended_with}: {here.log}")
    else:
        return False
    await _starts(here, f"version {version}, {fuse}", faults)
    return True


async def _starts(here: Installation, what: str, faults: list[str]) -> None:
    here.start()
    try:
        with anyio.fail_after(30):
            await here.ready()
    except NotReadyError:
        faults.append(f"{what}: the next start ended with {here.ended_with}: {here.log}")
        return
    await here.kill()
    if (sound := integrity(here)) != "ok":
        faults.append(f"{what}: {sound}")


def _make(path: Path, version: int) -> None:
    """A database as that version left it."""
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, migrations()[:version])
