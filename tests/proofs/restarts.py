"""A server that ends again and again under load, in whichever way; what became of its messages.

A crowd talks to it all the while; each next process works on the same directory. At last everyone
asks what became of each message, and the model tells what it was asked.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Protocol, final

import anyio
from attrs import define, field

from tests.model_server import ModelServer, model_server
from tests.proofs import confirming, remembering
from tests.proofs.crowd import Crowd
from tests.proofs.installation import AgentFile, Installation, NotReadyError, installation
from tests.proofs.report import Report, seconds
from tests.proofs.verdict import Verdict, judged

RECOVERY_SECONDS = 60.0
"""How long everything that was accepted may take to its end after the last start."""
ORPHAN_SECONDS = 5.0
SHOWN = ("accepted", "answered", "failed", "lost", "duplicated", "changed", "disordered")

AGENTS = (
    AgentFile("quick"),
    AgentFile("slow", "slow"),
    AgentFile("slow-apart", "slow", "process"),
    AgentFile("streaming", "streaming"),
    AgentFile("apart", "main", "process"),
    remembering.AGENT,
    confirming.AGENT,
)


@final
@define
class Witness:
    """What was seen of the ends and of the starts after them."""

    here: Installation
    crowd: Crowd
    person: confirming.Person = field(init=False)
    ends: dict[str, int] = field(factory=dict)
    at_work: int = 0
    starts: list[float] = field(factory=list)
    """Seconds from the start of a process until it was ready."""
    recoveries: list[float] = field(factory=list)
    """Seconds until everything that the one before had been at was at its end."""
    entries: list[str] = field(factory=list)
    """What the remembering agents have stored at the end."""
    faults: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.person = confirming.Person(self.here.port)

    async def work(self) -> None:
        """See that the server works; where it has ended, that the next one ends what it began."""
        if self.here.ended_with is None:
            return
        interrupted = self.crowd.begun
        began = time.monotonic()
        self.here.start()
        await self.here.ready()
        self.starts.append(time.monotonic() - began)
        with anyio.move_on_after(RECOVERY_SECONDS):
            while left := [turn for turn in interrupted if not turn.state]:  # noqa: ASYNC110
                await anyio.sleep(0.002)
            self.recoveries.append(time.monotonic() - began)
            return
        texts = [turn.text for turn in left]
        self.faults.append(
            f"{RECOVERY_SECONDS} s after a start have no end: {texts}; {self.here.log}"
        )

    async def kill(self) -> None:
        """kill -9, if it runs."""
        if self.here.ended_with is None:
            self.here.signal()
            self.died()
            await self.here.ended()

    async def gone(self) -> None:
        """See that nothing is left of a server that has ended."""
        if self.here.ended_with is None:
            return
        with anyio.move_on_after(ORPHAN_SECONDS):
            while self.here.leftovers():  # noqa: ASYNC110 - not of this loop
                await anyio.sleep(0.01)
            return
        self.faults += [f"{process} outlived its server" for process in self.here.leftovers()]

    def died(self) -> None:
        """The server is ending: what is at work now may be asked of the model again."""
        self.at_work += len(self.crowd.begun)


class End(Protocol):
    """A way in which a server ends."""

    async def bring(self, witness: Witness) -> None:
        """See that the server has ended so; faults are the witness's."""
        ...


async def tried(
    name: str,
    ends: Iterable[End],
    *,
    agents: Sequence[AgentFile] = AGENTS,
    senders: int = 24,
    seed: int = 1,
    place: Installation | None = None,
    **variables: str,
) -> Report:
    """End a server in each of the ways, one after the other; `place` is where it works."""
    began = time.monotonic()
    with model_server() as models, nullcontext(place) if place else installation() as here:
        here.environment = variables
        bases = _bases(models)
        await here.begin(bases, agents)
        names = [agent.name for agent in agents]
        crowd = Crowd(here.port, names, seed, said_to=remembering.said_to)
        witness = Witness(here, crowd)
        try:
            async with anyio.create_task_group() as people:
                people.start_soon(witness.person.approve)
                await _end_again_and_again(witness, ends, senders)
                await crowd.audit(RECOVERY_SECONDS)
                people.cancel_scope.cancel()
            witness.entries = await remembering.entries(here)
        except* NotReadyError as never:
            witness.faults.append(f"the server did not start again: {_first(never)}")
        asked = [call for url in bases.values() for call in models.asked(url)]
    calls = sorted(remembering.as_sent(asked), key=lambda call: call.at)
    verdict = judged(crowd.turns, calls, witness.at_work)
    return _report(name, verdict, witness, time.monotonic() - began)


def _first(group: BaseExceptionGroup[NotReadyError]) -> BaseException:
    """The error itself, however many groups it came out of."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _end_again_and_again(witness: Witness, ends: Iterable[End], senders: int) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(witness.crowd.run, senders)
            for end in ends:
                await end.bring(witness)
                kind = type(end).__name__
                witness.ends[kind] = witness.ends.get(kind, 0) + 1
                await witness.gone()
            await witness.work()
            witness.crowd.stop()
            scope.deadline = anyio.current_time() + RECOVERY_SECONDS
    if scope.cancelled_caught:
        waiting = [turn.text for turn in witness.crowd.begun]
        witness.faults.append(f"{RECOVERY_SECONDS} s after the last start wait {waiting}")


def _bases(models: ModelServer) -> dict[str, str]:
    return {
        "main": models.at(unique=1, tag="main"),
        "slow": models.at(unique=1, latency=30, tag="slow"),
        "late": models.at(unique=1, latency=900, tag="late"),
        "streaming": models.at(unique=1, interval=4, tag="streaming"),
    }


def _report(name: str, verdict: Verdict, witness: Witness, took: float) -> Report:
    ways = ", ".join(f"{count} {kind}" for kind, count in sorted(witness.ends.items()))
    counts = {
        "ends": f"{sum(witness.ends.values())} ({ways}) in {took:.0f} s",
        **{what: f"{getattr(verdict, what):,}" for what in SHOWN},
        "model calls": f"{verdict.calls:,}",
        "repeated calls": f"{verdict.repeated} ({verdict.repeatable} were at work)",
        "approved calls": f"{len(witness.person.approved):,}",
        "tool's entries": f"{len(witness.entries):,}",
        "start to ready": seconds(witness.starts),
        "start to recovered": seconds(witness.recoveries),
        "refused meanwhile": str(witness.crowd.refusals or "none"),
    }
    not_once = remembering.not_once(witness.crowd.turns, witness.entries)
    unasked = confirming.unasked(witness.crowd.turns, witness.person.approved)
    faults = [*witness.faults, *verdict.faults, *not_once, *unasked]
    if not verdict.accepted:
        faults.append("nothing was accepted: this run proves nothing")
    return Report(name, counts, faults)
