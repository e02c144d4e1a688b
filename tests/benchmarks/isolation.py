"""What a process of its own costs a turn: deciding it there, beside deciding it in place."""

from collections.abc import Iterator
from time import perf_counter
from typing import final

from caxton_adapters.runtime.isolation.forking import Zygote
from caxton_adapters.runtime.isolation.host import Host, InPlace
from caxton_adapters.runtime.isolation.processes import InProcess, ProcessLimits
from caxton_core.conversation.message import SystemMessage
from caxton_core.conversation.model import Completion, FinishReason, Sampling
from caxton_core.conversation.past import Past
from caxton_core.conversation.template import PLAIN_TEMPLATE
from caxton_core.conversation.turn import AskModel, Candidate, ModelAnswered, Reply, TurnRules
from caxton_core.limits import Usage
from caxton_core.primitives import Duration, TokenCount
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Below, Figure, Samples
from tests.benchmarks.histogram import Histogram
from tests.benchmarks.loops import run
from tests.benchmarks.sdk import SYSTEM, TEXT

_RULES = TurnRules(
    SystemMessage(SYSTEM),
    PLAIN_TEMPLATE,
    {},
    (Candidate(None, None),),
    Sampling(temperature=0.2),
    Duration(30.0),
    TokenCount(4000),
    max_exchanges=50,
    max_tool_rounds=16,
    tokens_per_turn=None,
)
_ANSWER = ModelAnswered(Completion(TEXT, FinishReason.STOP, Usage(20, 10), "echo"))


@final
class Nobody:
    """Does not want to know of processes."""

    def process_started(self, pid: int) -> None:
        """Pass over it."""

    def process_ended(self, pid: int, why: str) -> None:
        """Pass over it."""

    def process_died(self, pid: int, why: str) -> None:
        """Pass over it."""


def measure(effort: Effort) -> Iterator[Figure]:
    """The same turn, two round trips each, in turns."""
    yield run(_measured(effort))


async def _measured(effort: Effort) -> Figure:
    zygote = Zygote()
    inside = InPlace(_RULES)
    own = InProcess(_RULES, zygote, ProcessLimits(256_000_000, 60.0), Nobody())
    await _decided(own)
    medians: list[tuple[float, float]] = []
    tail = Histogram()
    for _ in range(effort.blocks):
        blocks = [await _block(host, effort.calls * 5) for host in (inside, own)]
        medians.append((blocks[0].percentile(50), blocks[1].percentile(50)))
        tail.merge(blocks[1])
    await own.close()
    await zygote.close()
    in_place, apart = (Samples(values) for values in zip(*medians, strict=True))
    return Figure(
        "process isolation above task isolation, per turn of two steps",
        (apart.middle - in_place.middle) * 1e3,
        "ms",
        Baseline(in_place.middle * 1e3, "decided in place"),
        Below(1),
        AtMost(0.15),
        f"p99 of the whole {tail.percentile(99) * 1e3:.2f} ms",
    )


async def _block(host: Host, turns: int) -> Histogram:
    taken = Histogram()
    for _ in range(turns):
        before = perf_counter()
        await _decided(host)
        taken.add(int((perf_counter() - before) * 1e9))
    return taken


async def _decided(host: Host) -> None:
    """One turn: a question to the model, its answer, the reply."""
    asked = await host.begin(1, Past(), TEXT)
    assert isinstance(asked, AskModel)
    reply = await host.advance(1, _ANSWER)
    assert isinstance(reply, Reply)
    host.forget(1)
