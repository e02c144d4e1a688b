"""The bounds of an overload can be broken."""

from pathlib import Path

import pytest
from attrs import evolve

from tests.benchmarks.histogram import Histogram
from tests.proofs.flood import Seen
from tests.proofs.installation import Installation
from tests.proofs.overload import BOUNDS, Bounds, _faults
from tests.proofs.watching import MIB, Sample, Watcher


def latencies(seconds: float) -> list[tuple[int, int]]:
    histogram = Histogram()
    histogram.add(int(seconds * 1e9))
    return histogram.buckets


def watcher(rss: int = 100 * MIB, health: float = 0.001) -> Watcher:
    seen = Watcher(Installation(Path(), 0), health=Histogram(latencies(health)))
    seen.samples.append(Sample(0.0, rss, 10, 5))
    return seen


def seen(**changes: object) -> Seen:
    found = Seen(statuses={"200": 1, "429 CX4011": 1}, answered=latencies(0.1))
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def test_a_server_within_its_bounds_is_let_pass() -> None:
    assert _faults(seen(), watcher(), 100 * MIB, BOUNDS) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"statuses": {"200": 1, "429": 1, "500 CX3000": 1}},
        {"statuses": {"200": 1}},
        {"homeless": 1},
        {"gone": 1},
        {"mixed_up": 1},
        {"answered": []},
        {"answered": latencies(31.0)},
    ],
)
def test_what_clients_saw_can_break_them(changes: dict[str, object]) -> None:
    assert len(_faults(seen(**changes), watcher(), 100 * MIB, BOUNDS)) == 1


@pytest.mark.parametrize("bounds", [evolve(BOUNDS, grown=0), evolve(BOUNDS, health=0.0001)])
def test_memory_and_health_can_break_them(bounds: Bounds) -> None:
    assert len(_faults(seen(), watcher(), 99 * MIB, bounds)) == 1
