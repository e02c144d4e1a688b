from collections.abc import Sequence

import pytest

from tests.proofs.damage import Known, not_the_first

SENT = [Known(f"m{n}", f"turn {n}", f"turn {n} #{n}") for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "shown",
    [
        ("turn 1 #1", "turn 2 #2", "turn 3 #3"),
        ("turn 1 #1", "turn 2 #9", None),
        (None, None, None),
    ],
)
def test_the_first_messages_are_a_prefix(shown: Sequence[str | None]) -> None:
    assert list(not_the_first(SENT, shown)) == []


@pytest.mark.parametrize(
    "shown",
    [
        ("turn 1 #1", None, "turn 3 #3"),
        ("turn 1 #9", "turn 2 #2", None),
        ("turn 1 #1", "an invention", None),
        ("turn 1 #1", "turn 2 #2", "{'status': 'failed'}"),
    ],
)
def test_anything_else_is_not(shown: Sequence[str | None]) -> None:
    assert len(list(not_the_first(SENT, shown))) == 1
