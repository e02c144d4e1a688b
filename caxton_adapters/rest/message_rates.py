"""How often each token may send a message: the server's own rate, or one that the token has."""

from functools import partial
from typing import final

from caxton_adapters.auth.token import Holder
from caxton_adapters.rest.rates import Buckets, Monotonic, Rate
from caxton_adapters.runtime.intake import Admit
from caxton_adapters.runtime.refusals import TooManyMessages


@final
class MessageRates:
    """Counts the messages of those whose rate has a limit; 0 is none."""

    def __init__(self, a_minute: int, at_once: int, now: Monotonic) -> None:
        self._usual = a_minute
        self._at_once = at_once
        self._buckets = Buckets(now)

    def of(self, holder: Holder) -> Admit | None:
        """What is asked before a message of this sender is taken in; None where nothing is."""
        a_minute = holder.messages_per_minute
        if a_minute is None:
            a_minute = self._usual
        if not a_minute:
            return None
        # Whoever may send five a minute does not send twenty in the first second.
        return partial(self._taken, holder.name, Rate(a_minute, min(a_minute, self._at_once)))

    def _taken(self, who: str, rate: Rate) -> TooManyMessages | None:
        seconds = self._buckets.take(who, rate)
        return TooManyMessages(rate.a_minute, rate.at_once, seconds) if seconds else None
