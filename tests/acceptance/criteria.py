"""Which test proves which promise of the plan.

An acceptance test names what it proves; `manifest.py` holds the names against the list in
`criteria.toml`, in both directions.
"""

import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pytest

CRITERION = re.compile(r"STORY-\d{3}\.(?:[1-9]\d?|D[123])")

P = ParamSpec("P")
R = TypeVar("R")


class UnknownFormError(ValueError):
    """A criterion is written `STORY-004.4`; lines of the definition of done `STORY-004.D2`."""


def criterion(*ids: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name the promises that a test proves: `@criterion("STORY-004.4", "STORY-004.D1")`."""
    if not ids:
        raise UnknownFormError
    for written in ids:
        if not CRITERION.fullmatch(written):
            raise UnknownFormError(written)
    mark = pytest.mark.criterion(*ids)

    def name(test: Callable[P, R]) -> Callable[P, R]:
        return mark(test)

    return name
