"""One at a time for each key, and nothing kept of keys that nobody holds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import final

from attrs import define, field


@final
@define
class Claims:
    """Locks that exist while somebody holds them or waits."""

    _locks: dict[Hashable, asyncio.Lock] = field(factory=dict, init=False)
    _claimed: Counter[Hashable] = field(factory=Counter, init=False)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Hold the key; who comes later waits."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._claimed[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._claimed[key] -= 1
            if not self._claimed[key]:
                del self._locks[key], self._claimed[key]
