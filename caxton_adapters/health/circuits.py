"""Circuit breakers in words."""

from caxton_core.resilience.breaker import Breaker, Closed, HalfOpen, Open


def word(breaker: Breaker) -> str:
    """How a circuit is, in one word."""
    match breaker:
        case Closed():
            return "closed"
        case Open():
            return "open"
        case HalfOpen():
            return "half-open"
