import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_cli.details import details, memory

SHOWN: dict[str, object] = {
    "name": "talker",
    "capabilities": ["talk", "listen"],
    "description": "",
    "config": "the file",
    "resources": {"pid": None, "cpu_seconds": 0.0031, "memory_bytes": 21_076_377, "restarts": 0},
}
BUDGET = {
    "tokens_per_day": {"limit": 1000, "spent": 12, "reserved": 0, "left": 988},
    "cost_per_day": {"limit": 1.0, "spent": 0.00002, "reserved": 0.0, "left": 0.99998},
}


def test_amounts_have_their_units() -> None:
    assert list(details(SHOWN)) == [
        "name            talker",
        "capabilities    talk, listen",
        "cpu             0.003 s",
        "memory          20.1 MB",
        "restarts        0",
    ]


def test_a_budget_is_told_with_what_is_left() -> None:
    assert list(details({"name": "talker", "budget": BUDGET}))[1:] == [
        "tokens per day  12 of 1000 spent, 988 left",
        "cost per day    $0.00002 of $1 spent, $0.99998 left",
    ]


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (1 << 20, "1.0 MB"), (3 << 40, "3072.0 GB")],
)
def test_memory_is_told_in_the_unit_that_fits(size: int, shown: str) -> None:
    assert memory(size) == shown


@given(st.integers(0, 1 << 40))
def test_no_amount_of_memory_below_a_terabyte_has_more_than_four_digits(size: int) -> None:
    number, unit = memory(size).split()
    assert float(number) <= 1024
    assert unit in ("B", "KB", "MB", "GB")


def test_a_problem_is_shown_by_its_code_and_message() -> None:
    document = {"violations": [{"code": "CX1333", "message": "it shares", "why": "..."}]}
    assert list(details(document)) == ["violations      CX1333 it shares"]
