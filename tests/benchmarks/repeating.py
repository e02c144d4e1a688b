"""The cost of one call of something quick, without the cost of the loop around it."""

import gc
from collections.abc import Callable
from itertools import repeat
from time import perf_counter_ns


def seconds_per_call(call: Callable[[], object], calls: int) -> float:
    """Mean over one block of so many calls; the garbage collector rests, as in `timeit`."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        looped = _block(call, calls)
        # One empty block that was interrupted would make every call look free.
        empty = min(_block(_nothing, calls) for _ in range(3))
    finally:
        if collecting:
            gc.enable()
    return max(looped - empty, 0) / calls / 1e9


def _block(call: Callable[[], object], calls: int) -> int:
    before = perf_counter_ns()
    for _ in repeat(None, calls):
        call()
    return perf_counter_ns() - before


def _nothing() -> None:
    """What an empty call costs."""
