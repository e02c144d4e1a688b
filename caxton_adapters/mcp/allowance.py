"""How many lines may be written of something that others decide."""

import time
from typing import final

from attrs import define, field


@final
@define(eq=False)
class Allowance:
    """So many at once, and so many more in each second."""

    _most: int
    _per_second: float
    _left: float = field(init=False)
    _since: float = field(factory=time.monotonic, init=False)

    @_left.default
    def _all(self) -> float:
        return self._most

    def take(self) -> bool:
        """Whether there may be one more."""
        now = time.monotonic()
        earned = (now - self._since) * self._per_second
        self._left, self._since = min(self._most, self._left + earned), now
        if self._left < 1:
            return False
        self._left -= 1
        return True
