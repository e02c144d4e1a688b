"""Each part of the server tells the truth about itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import final

import anyio
import anyio.lowlevel
import pytest
from attrs import define

from caxton_adapters.clock import SystemClock
from caxton_adapters.database import DatabaseHealth
from caxton_adapters.health.certificate import certificate
from caxton_adapters.health.component import Status
from caxton_adapters.health.machine import clock, disk
from caxton_adapters.health.provider import ProviderCondition, provider
from caxton_adapters.health.storage import SILENCE, database, keep_probing
from caxton_adapters.health.tools import tools
from caxton_adapters.process.certificate import Doubt, Pair, Validity
from caxton_core.conversation.model import (
    ContentFiltered,
    ContextTooLong,
    ModelFailure,
    NotAuthenticated,
    Unreachable,
)
from caxton_core.primitives import ToolName
from caxton_core.resilience.breaker import Breaker, Closed, HalfOpen, Open
from tests.waiting import PATIENCE

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SERVED: dict[str, Breaker] = {"": Closed()}


def test_a_disk_is_judged_by_what_is_free(tmp_path: Path) -> None:
    well = disk(tmp_path, least=0, little=0)()
    free = well.facts["free_bytes"]
    assert isinstance(free, int)
    assert (well.status, well.reason) == (Status.WELL, "")
    assert disk(tmp_path, least=0, little=2 * free)().status is Status.WARN
    full = disk(tmp_path, least=2 * free)()
    assert full.status is Status.FAIL
    assert "are needed" in full.reason


def test_a_disk_that_is_gone_fails(tmp_path: Path) -> None:
    gone = disk(tmp_path / "unmounted")()
    assert gone.status is Status.FAIL
    assert "No such file" in gone.reason


@pytest.mark.parametrize(
    ("seconds", "status", "word"),
    [
        (0.5, Status.WELL, ""),
        (-1.9, Status.WELL, ""),
        (3600.0, Status.WARN, "ahead of"),
        (-3600.0, Status.WARN, "behind"),
    ],
)
def test_a_clock_that_was_set_is_a_doubt(seconds: float, status: Status, word: str) -> None:
    found = clock(lambda: seconds)()
    assert found.status is status
    assert word in found.reason
    assert found.facts == {"stepped_seconds": seconds}


def test_a_database_fails_while_its_changes_do() -> None:
    health = DatabaseHealth(LONG_AGO)
    part = database(lambda: health)
    assert part().status is Status.WELL
    health = DatabaseHealth(LONG_AGO, "database or disk is full", LONG_AGO)
    assert (part().status, part().reason) == (Status.FAIL, "database or disk is full")


@final
@define
class Tried:
    """A database of which each probe goes as it is told."""

    health: DatabaseHealth
    probes: int = 0

    async def probe(self) -> DatabaseHealth:
        self.probes += 1
        self.health = DatabaseHealth(datetime.now(UTC))
        return self.health


@pytest.mark.parametrize(
    "health",
    [
        DatabaseHealth(datetime.now(UTC) + timedelta(hours=1), "disk I/O error", LONG_AGO),
        DatabaseHealth(datetime.now(UTC) - 2 * SILENCE),
    ],
    ids=["failing", "silent"],
)
async def test_a_database_that_fails_or_is_silent_is_tried(health: DatabaseHealth) -> None:
    stored = Tried(health)
    async with anyio.create_task_group() as beside:
        beside.start_soon(keep_probing, stored, SystemClock(), 0.0)
        with anyio.fail_after(PATIENCE):
            while not stored.probes:
                await anyio.lowlevel.checkpoint()
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        beside.cancel_scope.cancel()
    assert stored.probes == 1


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (None, False),
        (Unreachable("http://x", "refused"), True),
        (NotAuthenticated("no such key"), True),
        (ContextTooLong("9000 tokens"), False),
        (ContentFiltered("violence"), False),
    ],
)
def test_a_provider_is_as_the_last_call_met_it(failure: ModelFailure | None, *, told: bool) -> None:
    found = provider("play", lambda: ProviderCondition(failure, SERVED), repr)()
    assert found.name == "provider play"
    assert found.status is (Status.WARN if told else Status.WELL)
    assert found.reason == (repr(failure) if told else "")
    assert found.facts == {"circuits": {"default": "closed"}}


@pytest.mark.parametrize(
    ("breaker", "word"), [(Open(1, 30.0, 30.0), "open"), (HalfOpen(1, 30.0), "half-open")]
)
def test_a_circuit_that_is_not_closed_is_a_doubt(breaker: Breaker, word: str) -> None:
    breakers = {"gpt-4o": breaker, "gpt-4o-mini": Closed()}
    found = provider("play", lambda: ProviderCondition(None, breakers), repr)()
    assert found.status is Status.WARN
    assert found.reason == f"calls of gpt-4o are held back (circuit {word})"
    assert found.facts == {"circuits": {"gpt-4o": word, "gpt-4o-mini": "closed"}}


def test_a_provider_that_nobody_called_is_well() -> None:
    found = provider("play", ProviderCondition, repr)()
    assert (found.status, found.facts) == (Status.WELL, {})


def test_a_tool_that_gives_no_answer_is_a_doubt() -> None:
    breakers: dict[ToolName, Breaker] = {}
    part = tools(lambda: breakers)
    assert (part().status, part().facts) == (Status.WELL, {})
    breakers[ToolName("files.read")] = Closed()
    assert (part().status, part().facts) == (Status.WELL, {"circuits": {"files.read": "closed"}})
    breakers[ToolName("files.write")] = Open(1, until=9.0, pause=9.0)
    held_back = part()
    assert (held_back.status, held_back.reason) == (
        Status.WARN,
        "not called for a while: files.write",
    )


@pytest.mark.parametrize(
    ("now", "status", "word"),
    [
        (0, Status.WELL, ""),
        (80, Status.WELL, ""),
        (82, Status.WARN, "ends at 2026-04-01"),
        (91, Status.WARN, "has ended at 2026-04-01"),
    ],
)
def test_a_certificate_is_told_before_it_ends(now: int, status: Status, word: str) -> None:
    holds = Validity(LONG_AGO, LONG_AGO + timedelta(days=90))
    pair = Pair(SSLContext(PROTOCOL_TLS_SERVER), holds)
    look = certificate(lambda: pair, lambda: LONG_AGO + timedelta(days=now))
    assert (look().status, word in look().reason) == (status, True)
    assert look().facts == {"ends": holds.ends.isoformat()}


def test_a_certificate_that_clients_do_not_accept_is_told_with_the_reason() -> None:
    pair = Pair(SSLContext(PROTOCOL_TLS_SERVER), Doubt("certificate has expired"))
    look = certificate(lambda: pair, lambda: LONG_AGO)
    assert look().status is Status.WARN
    assert "certificate has expired" in look().reason
