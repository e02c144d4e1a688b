"""What grows is found to grow."""

import pytest
from attrs import evolve

from tests.proofs.soak import BOUNDS, grown
from tests.proofs.watching import MIB, Sample

FLAT = [Sample(float(at), 100 * MIB, 20, 6) for at in range(30)]


def test_what_stays_as_it_is_is_let_pass() -> None:
    assert grown(FLAT, [50] * 30, BOUNDS) == []


@pytest.mark.parametrize(("what", "step"), [("rss", 4 * MIB), ("files", 1), ("threads", 1)])
def test_a_leak_is_found(what: str, step: int) -> None:
    leaking = [
        evolve(sample, **{what: getattr(sample, what) + at * step})
        for at, sample in enumerate(FLAT)
    ]
    assert len(grown(leaking, [50] * 30, BOUNDS)) == 1


def test_a_task_that_is_left_behind_is_found() -> None:
    assert grown(FLAT, list(range(0, 90, 3)), BOUNDS) == ["tasks grew from 45 to 75"]
