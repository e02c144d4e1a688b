"""Many messages, conversations and agents: memory, files, threads and tasks stay as they are."""

import anyio
from attrs import frozen

from tests.model_server import model_server
from tests.proofs.asking import Asking
from tests.proofs.flood import Plan, seen_by, started
from tests.proofs.installation import AgentFile, installation
from tests.proofs.report import Report
from tests.proofs.watching import MIB, Sample, Watcher

OBSERVED = "tests.proofs.observed_server"
LINES = 12
"""Of the printed curve."""


@frozen
class Bounds:
    """How much more there may be at the end than in the middle."""

    rss: int = 24 * MIB
    files: int = 8
    threads: int = 4
    tasks: int = 16


BOUNDS = Bounds()


async def prove(
    messages: int = 50_000,
    *,
    conversations: int = 1000,
    agents: int = 200,
    clients: int = 32,
    bounds: Bounds = BOUNDS,
) -> Report:
    """Send so many messages."""
    with model_server() as models, installation() as here:
        counted = here.directory / "tasks"
        names = [f"agent-{number}" for number in range(agents)]
        launcher = ("-m", OBSERVED, str(counted))
        await here.begin({"main": models.url}, list(map(AgentFile, names)), launcher)
        watcher = Watcher(here, period=0.25)
        plan = Plan(
            here.port, names, clients, 3600.0, conversations=conversations, messages=messages
        )
        async with anyio.create_task_group() as beside:
            beside.start_soon(watcher.watch)
            with started(plan) as flood:
                seen = await seen_by(flood)
            beside.cancel_scope.cancel()
        idle = await Asking(here).get("/health")
        await anyio.sleep(1)
        tasks = [int(line) for line in counted.read_text().split()]
    faults = [*grown(watcher.samples, tasks, bounds)]
    if set(seen.statuses) != {"200"} or seen.gone or seen.mixed_up:
        faults.append(f"{seen.statuses}, {seen.gone} gone, {seen.mixed_up} mixed up")
    counts = {
        "answered": f"{seen.answers.count:,} of {messages:,} over {conversations:,} conversations "
        f"and {agents} agents",
        "answers": ", ".join(f"p{at} {seen.answers.percentile(at):.4f} s" for at in (50, 99)),
        "tasks": f"{_middle(tasks)} in the middle, {max(tasks)} at most, {tasks[-1]} when idle",
        "health": idle.body[:200].decode(),
        **dict(_curve(watcher.samples)),
    }
    return Report("soak", counts, faults)


def _middle(values: list[int]) -> int:
    return sorted(values[len(values) // 3 : 2 * len(values) // 3])[len(values) // 6]


def grown(samples: list[Sample], tasks: list[int], bounds: Bounds) -> list[str]:
    """What has more of something in the last third than it had in the middle one."""
    found = {
        "rss": ([sample.rss for sample in samples], bounds.rss),
        "files": ([sample.files for sample in samples], bounds.files),
        "threads": ([sample.threads for sample in samples], bounds.threads),
        "tasks": (tasks, bounds.tasks),
    }
    return [
        f"{what} grew from {_middle(values)} to {_late(values)}"
        for what, (values, bound) in found.items()
        if _late(values) - _middle(values) > bound
    ]


def _late(values: list[int]) -> int:
    last = sorted(values[2 * len(values) // 3 :])
    return last[len(last) // 2]


def _curve(samples: list[Sample]) -> list[tuple[str, str]]:
    every = max(1, len(samples) // LINES)
    begin = samples[0].at
    return [
        (
            f"after {sample.at - begin:5.1f} s",
            f"{sample.rss / MIB:.1f} MiB, {sample.files} files, {sample.threads} threads",
        )
        for sample in samples[::every]
    ]
