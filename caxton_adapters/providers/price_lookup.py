"""`python -m caxton_adapters.providers.price_lookup BASE_URL MODEL`: a model's prices as JSON.

A program of its own, because the price library takes 30 MB and a third of a second to import, and
200 µs for a price. A server asks it once for each model and keeps the numbers. The library finds
the model; `prices.py` does the sums. Prints `null` for a model that the library does not know.
"""

import json
import sys
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

_RATES = {
    "prompt": "input_mtok",
    "completion": "output_mtok",
    "cached": "cache_read_mtok",
    "reasoning": "output_reasoning_mtok",
}
_FEMTODOLLARS_A_TOKEN = 10**9
_FEMTODOLLARS_A_REQUEST = 10**12


def found(base_url: str, model: str) -> dict[str, object] | None:
    """What the library knows about the model of the service at this URL."""
    try:
        _, known = get_snapshot().find_provider_model(model, None, None, base_url)
    except LookupError:
        return None
    return written(known)


def written(model: ModelInfo) -> dict[str, object]:
    """A model's prices as plain JSON values."""
    prices = model.prices
    periods = [ConditionalPrice(prices=prices)] if isinstance(prices, ModelPrice) else prices
    return {
        "periods": [{**_constraint(each), "rates": _rates(each.prices)} for each in periods],
        "context_length": model.context_window,
    }


def _constraint(price: ConditionalPrice) -> dict[str, object]:
    match price.constraint:
        case StartDateConstraint(day):
            return {"since": day.isoformat()}
        case TimeOfDateConstraint(start, end):
            return {"start": _utc(start), "end": _utc(end)}
        case None:
            return {}


def _utc(moment: time) -> str:
    zone = moment.tzinfo or UTC
    day = datetime(1970, 1, 1, tzinfo=zone)
    return datetime.combine(day, moment, zone).astimezone(UTC).time().isoformat()


def _rates(prices: ModelPrice) -> dict[str, object]:
    rates: dict[str, object] = {}
    for name, key in _RATES.items():
        price = getattr(prices, key)
        if price is not None:
            rates[name] = _rate(price)
    request = prices.requests_kcount
    if isinstance(request, Decimal):
        rates["request"] = _whole(request, _FEMTODOLLARS_A_REQUEST)
    return rates


def _rate(price: Decimal | TieredPrices) -> dict[str, object]:
    if isinstance(price, Decimal):
        return {"base": _whole(price, _FEMTODOLLARS_A_TOKEN)}
    tiers = [[tier.start, _whole(tier.price, _FEMTODOLLARS_A_TOKEN)] for tier in price.tiers]
    return {"base": _whole(price.base, _FEMTODOLLARS_A_TOKEN), "tiers": tiers}


def _whole(price: Decimal, scale: int) -> int:
    return int((price * scale).to_integral_value(ROUND_HALF_EVEN))


if __name__ == "__main__":
    json.dump(found(*sys.argv[1:3]), sys.stdout)
