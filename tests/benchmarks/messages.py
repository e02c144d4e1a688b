"""Messages over REST, end to end: HTTP in, the agent, HTTP to the model, HTTP out."""

from collections.abc import Iterator
from functools import partial
from typing import final

from attrs import define, field

from tests.benchmarks.answers import checked
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtLeast, AtMost, Baseline, Figure, TimesBaseline, in_turns
from tests.benchmarks.histogram import Histogram
from tests.benchmarks.load import Plan
from tests.benchmarks.processes import Cpu, cpu, finished, load, started_load
from tests.benchmarks.product import Server, caxton_server
from tests.benchmarks.sdk import sdk_cpu_seconds
from tests.model_server import ModelServer, model_server

_SATURATING = 64


def measure(effort: Effort) -> Iterator[Figure]:
    """One connection, then 64, then health and the management API beside 64."""
    with model_server() as models, caxton_server(models.url) as server:
        server.deploy("isolated", "process")
        server.deploy("inside", "task")
        for name in ("isolated", "inside"):
            server.say(name, "warm up")
        yield from _one_connection(effort, server, models)
        yield from _many_connections(effort, server, models)
        yield from _beside_the_load(effort, server)


def _median_seconds(plan: Plan) -> float:
    [outcome] = load(plan)
    return checked(outcome).histogram.percentile(50)


def _one_connection(effort: Effort, server: Server, models: ModelServer) -> Iterator[Figure]:
    seconds = effort.seconds
    direct = Plan([f"{models.url}/chat/completions"], kind="chat", seconds=seconds)
    bare, isolated, inside = in_turns(
        effort.blocks,
        partial(_median_seconds, direct),
        partial(_median_seconds, Plan([server.message_url("isolated")], seconds=seconds)),
        partial(_median_seconds, Plan([server.message_url("inside")], seconds=seconds)),
    )
    base = Baseline(bare.middle * 1e3, "model asked directly")
    yield Figure(
        "POST message, 1 connection, process isolation, p50",
        isolated.middle * 1e3,
        "ms",
        base,
        AtMost(3),
        AtMost(1),
    )
    yield Figure("the same, task isolation, p50", inside.middle * 1e3, "ms", base)
    yield Figure(
        "process isolation above task isolation, per message",
        isolated.middle * 1e3 - inside.middle * 1e3,
        "ms",
        Baseline(inside.middle * 1e3, "whole message with task isolation"),
        AtMost(1),
        AtMost(0.15),
    )


@final
@define
class Saturated:
    """What 64 connections got from the server, and what that cost it."""

    url: str
    pid: int
    seconds: float
    latencies: Histogram = field(factory=Histogram)
    answered: int = 0
    cpu: list[Cpu] = field(factory=list)

    def rate(self) -> float:
        """One block: messages a second, the costs kept aside."""
        plan = Plan([self.url], connections=_SATURATING, seconds=self.seconds, warm_up=0)
        before = cpu(self.pid)
        [outcome] = load(plan)
        used = cpu(self.pid) - before
        checked(outcome)
        self.latencies.merge(outcome.histogram)
        self.answered += outcome.answered
        self.cpu.append(used)
        return outcome.answered / outcome.seconds

    def share(self) -> float:
        """How much of one processor the server had, its agents' processes not counted."""
        return sum(used.itself for used in self.cpu) / (self.seconds * len(self.cpu))

    def cpu_each(self) -> Cpu:
        """Seconds of CPU a message."""
        itself = sum(used.itself for used in self.cpu)
        return Cpu(itself / self.answered, sum(u.children for u in self.cpu) / self.answered)


def _many_connections(effort: Effort, server: Server, models: ModelServer) -> Iterator[Figure]:
    seconds = effort.seconds
    isolated = Saturated(server.message_url("isolated"), server.pid, seconds)
    inside = Saturated(server.message_url("inside"), server.pid, seconds)
    direct = Plan(
        [f"{models.url}/chat/completions"], kind="chat", connections=_SATURATING, seconds=seconds
    )
    sdk, sdk_crowded, bare, rate, rate_inside = in_turns(
        effort.blocks,
        partial(sdk_cpu_seconds, models.url, effort.calls),
        partial(sdk_cpu_seconds, models.url, effort.calls, _SATURATING),
        partial(_rate, direct),
        isolated.rate,
        inside.rate,
    )
    base = Baseline(bare.middle, "model asked directly")
    p50, p99 = (isolated.latencies.percentile(percent) * 1e3 for percent in (50, 99))
    yield Figure(
        "POST message, 64 connections, process isolation",
        rate.middle,
        "/s",
        base,
        AtLeast(1000),
        AtLeast(5000),
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms; the server had {isolated.share():.0%} of a processor",
    )
    note = f"the server had {inside.share():.0%} of a processor"
    yield Figure("the same, task isolation", rate_inside.middle, "/s", base, note=note)
    for what, measured in (("process", isolated), ("task", inside)):
        each = measured.cpu_each()
        yield Figure(
            f"CPU of server and agent processes per message, {what} isolation",
            each.total * 1e6,
            "µs",
            Baseline(sdk.middle * 1e6, "bare SDK call"),
            TimesBaseline(1),
            TimesBaseline(0.2),
            f"server {each.itself * 1e6:.0f}, zygote and agents {each.children * 1e6:.0f}; "
            f"the SDK with {_SATURATING} at once {sdk_crowded.middle * 1e6:,.0f}",
        )


def _rate(plan: Plan) -> float:
    [outcome] = load(plan)
    return checked(outcome).answered / outcome.seconds


def _beside_the_load(effort: Effort, server: Server) -> Iterator[Figure]:
    saturating = Plan(
        [server.message_url("isolated")],
        connections=_SATURATING,
        seconds=effort.seconds * effort.blocks + 0.5,
    )
    for path, percent, must, aim in (
        ("/health", 99, AtMost(25), AtMost(10)),
        ("/agents/isolated", 99, AtMost(50), None),
    ):
        probe = Plan(
            [server.url + path], kind="get", seconds=effort.seconds * effort.blocks, pace=0.01
        )
        [idle] = load(probe)
        with started_load(saturating) as running:
            [busy] = load(probe)
            [outcome] = finished(running)
        checked(outcome)
        measured = checked(busy).histogram
        yield Figure(
            f"GET {path}, p{percent}, while 64 connections saturate the server",
            measured.percentile(percent) * 1e3,
            "ms",
            Baseline(checked(idle).histogram.percentile(percent) * 1e3, "idle server"),
            must,
            aim,
            f"p50 {measured.percentile(50) * 1e3:.1f} ms of {measured.count}",
        )
