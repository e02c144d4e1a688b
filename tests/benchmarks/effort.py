"""How long a benchmark takes trouble: long enough to be believed, or only to see that it runs."""

from typing import final

from attrs import frozen


@final
@frozen
class Effort:
    """Sizes that all benchmarks share."""

    blocks: int
    """Blocks of each measure, taken in turns."""
    seconds: float
    """Length of a block under load."""
    calls: int
    """Calls in a block of a measure that is counted, not timed."""
    agents: int
    conversations: int


FULL = Effort(blocks=5, seconds=3.0, calls=400, agents=1000, conversations=10_000)
SMOKE = Effort(blocks=1, seconds=0.4, calls=20, agents=20, conversations=200)
