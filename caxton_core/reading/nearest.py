"""Did you mean: the known name that a mistyped one stands for."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The known name most like the written one, if one is like it at all."""
    by_case = {name.lower(): name for name in known}
    plain = written.lower().replace("-", "_")[:100]
    exact = by_case.get(plain) or by_case.get(plain.replace("_", "-"))
    close = get_close_matches(plain, by_case, n=1, cutoff=0.55)
    return exact or (by_case[close[0]] if close else None)
