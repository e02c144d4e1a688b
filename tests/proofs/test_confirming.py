import pytest

from tests.proofs.confirming import AGENT, unasked
from tests.proofs.record import Turn


@pytest.mark.parametrize(("approved", "found"), [({"msg_1"}, 0), (set[str](), 1), ({"msg_2"}, 1)])
def test_an_answer_without_an_approved_call_is_found(approved: set[str], found: int) -> None:
    turn = Turn(AGENT.name, "c", 1, ids=["msg_1"], state="answered")
    assert len(list(unasked([turn], approved))) == found


def test_other_agents_and_other_ends_need_no_approval() -> None:
    turns = [
        Turn("quick", "c", 1, ids=["msg_1"], state="answered"),
        Turn(AGENT.name, "c", 1, ids=["msg_2"], state="failed"),
    ]
    assert list(unasked(turns, set())) == []
