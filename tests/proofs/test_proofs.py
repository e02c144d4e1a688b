"""The short form of every proof; `python -m tests.proofs NAME` is the long one."""

import pytest

from tests.proofs import (
    clock,
    crash,
    damage,
    full_disk,
    io_errors,
    migrating,
    neighbours,
    overload,
    power,
    read_only,
    shutdown,
    soak,
)
from tests.proofs.disks import has_loop_devices
from tests.proofs.report import Report

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

needs_loop_devices = pytest.mark.skipif(
    not has_loop_devices(), reason="only root can mount an image"
)


def holds(report: Report) -> None:
    """Fail with everything that was counted."""
    print(report)
    assert not report.faults, str(report)


async def test_a_server_that_is_killed_again_and_again_answers_everything_once() -> None:
    holds(await crash.prove(20, senders=16))


async def test_a_server_that_is_told_to_end_finishes_what_it_accepted() -> None:
    holds(await shutdown.prove(3, senders=8))


@needs_loop_devices
async def test_what_was_acknowledged_survives_a_power_loss() -> None:
    holds(await power.prove(2, senders=8))


async def test_a_full_disk_stops_new_work_only_and_only_while_it_is_full() -> None:
    holds(await full_disk.prove(0.3, senders=8))


@needs_loop_devices
async def test_a_disk_that_can_only_be_read_stops_new_work_only() -> None:
    holds(await read_only.prove(0.3, senders=4))


@pytest.mark.skipif(not io_errors.has_libfiu(), reason="libfiu (fiu-utils) is not installed")
async def test_what_was_acknowledged_on_a_failing_disk_is_there() -> None:
    holds(await io_errors.prove(2.0, senders=8))


async def test_a_damaged_log_leaves_the_first_messages_or_a_clear_refusal() -> None:
    holds(await damage.prove(3, messages=12))


async def test_a_migration_that_is_killed_is_taken_up_by_the_next_start() -> None:
    holds(await migrating.prove(whole=False))


@pytest.mark.skipif(not clock.has_compiler(), reason="there is no C compiler")
async def test_a_wall_clock_that_steps_disturbs_nothing() -> None:
    holds(await clock.prove(1, senders=8, seconds=0.1))


async def test_too_many_clients_are_refused_in_time_and_the_others_served() -> None:
    holds(await overload.prove(3.0))


async def test_an_agent_in_trouble_leaves_its_neighbours_alone() -> None:
    # A second on a machine that does much else: this finds a neighbour that waits, no percents.
    holds(await neighbours.prove(1, seconds=1.0, bound=20.0))


async def test_nothing_grows_with_the_number_of_messages() -> None:
    holds(await soak.prove(1500, conversations=200, agents=40))
