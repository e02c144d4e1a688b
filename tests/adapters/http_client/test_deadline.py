"""A deadline passes once, when its last time has come, and is cheap to move."""

from collections.abc import Callable
from math import inf
from typing import final

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.http_client.deadline import Deadline


@final
@define(eq=False)
class Timer:
    at: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@final
@define
class Timers:
    """The part of an event loop that a deadline uses, with a time that is moved by hand."""

    now: float = 0.0
    pending: list[Timer] = field(factory=list)
    set: int = 0

    def call_at(self, at: float, callback: Callable[[], None]) -> Timer:
        self.set += 1
        self.pending.append(Timer(at, callback))
        return self.pending[-1]

    def run_until(self, now: float) -> None:
        while due := [t for t in self.pending if t.at <= now and not t.cancelled]:
            first = min(due, key=lambda timer: timer.at)
            self.now = max(self.now, first.at)
            self.pending.remove(first)
            first.callback()
        self.now = now


def deadline(timers: Timers, passed: list[float]) -> Deadline:
    def note() -> None:
        passed.append(timers.now)

    return Deadline(timers, note)  # type: ignore[arg-type]  # a loop of which it needs one method


@given(st.lists(st.tuples(st.floats(0.01, 5), st.floats(0.01, 10) | st.just(inf)), max_size=30))
def test_it_passes_exactly_at_the_last_time_it_was_moved_to(
    moves: list[tuple[float, float]],
) -> None:
    timers, passed, expected, at = Timers(), list[float](), list[float](), inf
    moving = deadline(timers, passed)
    for wait, seconds in [*moves, (20.0, inf)]:
        if at <= timers.now + wait:
            expected.append(at)
            at = inf
        timers.run_until(timers.now + wait)
        at = timers.now + seconds
        moving.move(at)
    assert passed == expected


def test_moving_it_into_the_future_sets_no_timer() -> None:
    timers = Timers()
    moving = deadline(timers, [])
    for request in range(1000):
        timers.run_until(request / 1000)
        moving.move(timers.now + 30)
    assert timers.set == 1


def test_a_cancelled_deadline_leaves_no_timer() -> None:
    timers = Timers()
    moving = deadline(timers, [])
    moving.move(5)
    moving.cancel()
    assert all(timer.cancelled for timer in timers.pending)
