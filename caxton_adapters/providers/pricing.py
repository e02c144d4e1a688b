"""Prices of a provider's models: looked up once each, in another process, and kept."""

import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import date, time
from ipaddress import ip_address
from subprocess import SubprocessError
from typing import TypeAlias, final
from urllib.parse import urlsplit

import anyio
import msgspec

from caxton_adapters.providers.prices import Always, Daily, PriceList, Rate, Rates, Since, Validity

Lookup: TypeAlias = Callable[[str, str], Awaitable[PriceList | None]]

PATIENCE = 20.0
_log = logging.getLogger(__name__)


class _Rate(msgspec.Struct):
    base: int
    tiers: tuple[tuple[int, int], ...] = ()


class _Rates(msgspec.Struct):
    prompt: _Rate | None = None
    completion: _Rate | None = None
    cached: _Rate | None = None
    reasoning: _Rate | None = None
    request: int = 0


class _Period(msgspec.Struct):
    rates: _Rates
    since: date | None = None
    start: time | None = None
    end: time | None = None


class _PriceList(msgspec.Struct):
    periods: list[_Period]
    context_length: int | None = None


@final
class Pricing:
    """The prices of the models of one service; a model that is not known has none."""

    def __init__(self, base_url: str, lookup: Lookup) -> None:
        self._base_url = base_url
        self._lookup = lookup
        self._known: dict[str, PriceList | None] = {}
        self._asking = anyio.Lock()
        if _is_loopback(base_url):
            self._lookup = _nothing

    def is_known(self, model: str) -> bool:
        """Whether the price is here already, or known to be unknown."""
        return model in self._known

    def known(self, model: str) -> PriceList | None:
        """The price as far as it was looked up."""
        return self._known.get(model)

    async def find(self, model: str) -> PriceList | None:
        """The price, looked up if need be."""
        if model in self._known:
            return self._known[model]
        async with self._asking:
            if model not in self._known:
                self._known[model] = await self._lookup(self._base_url, model)
            return self._known[model]


def _is_loopback(base_url: str) -> bool:
    """No price list knows a service of this machine, so nobody needs to be asked."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _nothing(_base_url: str, _model: str) -> PriceList | None:
    return None


async def from_price_table(base_url: str, model: str) -> PriceList | None:
    """Ask the price library, in a process that ends after it."""
    command = [sys.executable, "-m", "caxton_adapters.providers.price_lookup", base_url, model]
    try:
        with anyio.fail_after(PATIENCE):
            done = await anyio.run_process(command)
        return read_price_list(done.stdout)
    except (OSError, SubprocessError, TimeoutError, msgspec.DecodeError) as error:
        _log.warning("the price of %s could not be looked up: %r", model, error)
        return None


def read_price_list(written: bytes) -> PriceList | None:
    """A price list from what `price_lookup` printed."""
    read = msgspec.json.decode(written, type=_PriceList | None)
    if read is None or not read.periods:
        return None
    periods = tuple((_validity(period), _rates(period.rates)) for period in read.periods)
    return PriceList(periods, read.context_length)


def _validity(period: _Period) -> Validity:
    if period.since is not None:
        return Since(period.since)
    if period.start is not None and period.end is not None:
        return Daily(period.start, period.end)
    return Always()


def _rates(rates: _Rates) -> Rates:
    return Rates(
        _rate(rates.prompt),
        _rate(rates.completion),
        _rate(rates.cached),
        _rate(rates.reasoning),
        rates.request,
    )


def _rate(rate: _Rate | None) -> Rate | None:
    return None if rate is None else Rate(rate.base, rate.tiers)
