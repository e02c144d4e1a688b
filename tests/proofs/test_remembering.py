import pytest

from tests.model_server import Asked
from tests.proofs.record import Turn
from tests.proofs.remembering import AGENT, as_sent, not_once

TURN = Turn(AGENT.name, "c", 1, state="answered")


def test_an_entry_that_is_there_once_is_well() -> None:
    assert list(not_once([TURN], ["turn 1 of c"])) == []


@pytest.mark.parametrize("stored", [[], ["turn 1 of c"] * 2])
def test_an_entry_that_is_missing_or_there_twice_is_found(stored: list[str]) -> None:
    assert len(list(not_once([TURN], stored))) == 1


def test_the_servers_own_words_are_no_messages() -> None:
    notes = "[Notes from memory that may matter.]\n  - note-1: turn 1 of d\n[End]\n\n"
    calls = [Asked(1.0, [("user", "Hello! How are you?")]), Asked(2.0, [("user", f"{notes}hi")])]
    assert list(as_sent(calls)) == [Asked(2.0, [("user", "hi")])]


def test_other_agents_need_no_entry() -> None:
    assert list(not_once([Turn("quick", "c", 1, state="answered")], [])) == []
