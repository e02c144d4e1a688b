"""An agent as `caxton show` tells it to a person: amounts with their units."""

from collections.abc import Iterator, Mapping
from typing import TypeGuard

_KIB = 1 << 10
_ELSEWHERE = ("config", "resources", "budget")
_LABELS = {"cpu_seconds": "cpu", "memory_bytes": "memory"}


def details(document: Mapping[str, object]) -> Iterator[str]:
    """One line for each fact that is known."""
    resources = document.get("resources")
    facts = {**document, **(resources if _is_table(resources) else {})}
    for name, value in facts.items():
        if name not in _ELSEWHERE and value not in (None, "", []):
            yield _line(_LABELS.get(name, name), _shown(name, value))
    budget = document.get("budget")
    for name, balance in (budget if _is_table(budget) else {}).items():
        if _is_table(balance):
            yield _line(name, _balance(balance, "$" if name.startswith("cost") else ""))


def memory(size: float) -> str:
    """Bytes in the largest unit that leaves a number of one or more; a KB is 1,024 bytes."""
    if size < _KIB:
        return f"{size:g} B"
    for unit in ("KB", "MB"):
        size /= _KIB
        if round(size, 1) < _KIB:
            return f"{size:.1f} {unit}"
    return f"{size / _KIB:.1f} GB"


def _line(name: str, shown: str) -> str:
    return f"{name.replace('_', ' '):<15} {shown}"


def _shown(name: str, value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_item(item) for item in value)
    if name == "memory_bytes" and isinstance(value, int):
        return memory(value)
    return (
        f"{value:.3f} s" if name == "cpu_seconds" and isinstance(value, int | float) else str(value)
    )


def _item(item: object) -> str:
    """An item of a list; a problem by its code and its message."""
    return f"{item.get('code')} {item.get('message')}" if _is_table(item) else str(item)


def _balance(balance: Mapping[str, object], sign: str) -> str:
    spent, limit, left = (f"{sign}{_amount(balance[key])}" for key in ("spent", "limit", "left"))
    return f"{spent} of {limit} spent, {left} left"


def _amount(amount: object) -> str:
    """Money is a float and may be a small part of a cent; tokens are whole."""
    return f"{amount:.9f}".rstrip("0").rstrip(".") if isinstance(amount, float) else str(amount)


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)
