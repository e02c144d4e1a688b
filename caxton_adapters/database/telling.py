"""From a thread of the database back to the loop: each outcome reaches whoever waits for it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias

from attrs import frozen


@frozen
class Raised:
    """Why there is no result."""

    error: BaseException


Outcome: TypeAlias = tuple["asyncio.Future[object]", object]
"""A future and its result, or `Raised`."""


def tell(loop: asyncio.AbstractEventLoop, outcomes: Sequence[Outcome]) -> None:
    """Resolve the futures in the loop's own thread; a loop that is gone waits for nothing."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_resolve, outcomes)


def _resolve(outcomes: Sequence[Outcome]) -> None:
    for future, outcome in outcomes:
        if future.done():  # whoever waited was cancelled
            continue
        if isinstance(outcome, Raised):
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome)
