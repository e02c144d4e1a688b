"""Attacks a target for a while; what breaks it is made small and kept."""

import hashlib
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import FrameType
from typing import Final, final

from attrs import frozen

from tests.fuzz.mutation import INTERESTING, mutated
from tests.fuzz.target import Attack, Target

LONGEST: Final = 5.0
"""Seconds of processor time that one input may take."""
SHRINKING: Final = 300
"""Attempts to make a failing input smaller."""


class TookTooLong(Exception):
    """An input keeps the processor busy for more than the seconds that it may."""


@final
@frozen
class Broken:
    """An input that breaks its target, and how."""

    data: bytes
    what: str
    kind: type[BaseException]


@final
@frozen
class Outcome:
    """How many inputs were tried, and the first that broke the target."""

    target: Target
    tried: int
    slowest: float
    broken: Broken | None


def attack(target: Target, seconds: float, seed: int) -> Outcome:
    """Try all samples, then changed ones until the time is over or one breaks the target."""
    random = Random(f"{seed} {target.name}")
    samples, words = list(target.samples().values()), (*INTERESTING, *target.words * 3)
    tried, slowest = 0, 0.0
    with target.opened() as run:
        queue, end = list(samples), time.perf_counter() + seconds
        while queue or time.perf_counter() < end:
            data = queue.pop() if queue else mutated(random, samples, words)[: target.largest]
            since = time.perf_counter()
            broken = tried_on(run, data)
            slowest = max(slowest, time.perf_counter() - since)
            tried += 1
            if broken is not None:
                return Outcome(target, tried, slowest, _smaller(run, broken))
    return Outcome(target, tried, slowest, None)


def tried_on(run: Attack, data: bytes) -> Broken | None:
    """How the input breaks the target, if it does."""
    try:
        with _bounded():
            run(data)
    except Exception as error:  # noqa: BLE001 - that nothing is raised is what is tested
        return Broken(data, traceback.format_exc(limit=-6), type(error))
    return None


def keep(target: Target, broken: Broken) -> str:
    """Put the input among the samples, so that it is tried first from now on."""
    path = target.folder / f"found-{hashlib.sha256(broken.data).hexdigest()[:12]}"
    path.write_bytes(broken.data)
    return str(path)


def _smaller(run: Attack, broken: Broken) -> Broken:
    """A part of the input that breaks the target in the same way."""
    size, left = max(1, len(broken.data) // 2), SHRINKING
    while size and left:
        for start in range(0, len(broken.data), size):
            left -= 1
            shorter = tried_on(run, broken.data[:start] + broken.data[start + size :])
            if shorter is not None and shorter.kind is broken.kind:
                broken = shorter
                break
            if not left:
                break
        else:
            size //= 2
    return broken


@contextmanager
def _bounded() -> Iterator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        raise TookTooLong(LONGEST)

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
