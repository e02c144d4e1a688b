"""The checkup: what the parts say together, and since when."""

from datetime import UTC, datetime, timedelta
from typing import final

from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.health.checkup import Checkup, Condition
from caxton_adapters.health.component import Component, Status

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
statuses = st.sampled_from(Status)


@final
@define
class HandMoved:
    """A clock that is moved by hand."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return MIDNIGHT + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def condition_of(*found: Status, started: bool = True, draining: bool = False) -> Condition:
    parts = [lambda n=n, status=status: Component(f"{n}", status) for n, status in enumerate(found)]
    return Checkup(parts, HandMoved()).report(started=started, draining=draining).condition


@given(st.lists(statuses))
def test_one_part_that_fails_makes_the_server_unready_and_a_doubt_does_not(
    found: list[Status],
) -> None:
    condition = condition_of(*found)
    assert condition.ready is (Status.FAIL not in found)
    assert (condition is Condition.WELL) is (set(found) <= {Status.WELL})


@given(found=st.lists(statuses), started=st.booleans())
def test_a_server_that_starts_or_drains_is_not_ready(found: list[Status], *, started: bool) -> None:
    assert condition_of(*found, started=started, draining=True) is Condition.DRAINING
    assert condition_of(*found, started=False) is Condition.STARTING


@given(st.lists(st.tuples(statuses, st.text(max_size=3)), min_size=1))
def test_a_part_is_as_it_is_since_its_status_changed(course: list[tuple[Status, str]]) -> None:
    clock, now = HandMoved(), Component("disk")
    checkup = Checkup([lambda: now], clock)
    changed, before = MIDNIGHT, None
    for status, reason in course:
        clock.seconds += 1
        now = Component("disk", status, reason)
        if status is not before:
            changed, before = clock.now(), status
        [seen] = checkup.report(started=True, draining=False).seen
        assert (seen.since, seen.component) == (changed, now)


def test_the_worst_is_told_first() -> None:
    parts = [
        lambda: Component("a", Status.WARN),
        lambda: Component("b"),
        lambda: Component("c", Status.FAIL),
    ]
    report = Checkup(parts, HandMoved()).report(started=True, draining=False)
    assert [component.name for component in report.unwell] == ["c", "a"]
