"""Every promise has a test, every test that names a promise names one that exists."""

import pytest

from tests.acceptance.criteria import UnknownFormError, criterion
from tests.acceptance.manifest import (
    LIST,
    Claim,
    UnreadableClaimError,
    all_claims,
    claims_in,
    stories,
    unknown,
    unproven,
)

KNOWN = stories(LIST.read_text("utf-8"))
STORY = stories('[STORY-900]\ntitle = "t"\n1 = "one"\nD1 = "done"\n')


def test_every_criterion_of_the_stories_has_a_test() -> None:
    assert unproven(KNOWN, all_claims()) == ()


def test_every_criterion_that_a_test_names_exists() -> None:
    assert unknown(KNOWN, all_claims()) == ()


def test_a_story_lists_its_criteria_and_three_lines_of_its_definition_of_done() -> None:
    for story in KNOWN:
        endings = [id_.partition(".")[2] for id_ in story.criteria]
        done = [] if story.drafted else ["D1", "D2", "D3"]
        numbers = [str(n) for n in range(1, len(endings) - len(done) + 1)]
        assert endings == [*numbers, *done], story.id


def test_a_criterion_without_a_test_is_found() -> None:
    assert unproven(STORY, [Claim("STORY-900.1", "t")]) == ("STORY-900.D1",)


def test_a_claim_without_a_criterion_is_found() -> None:
    stranger = Claim("STORY-900.2", "t")
    assert unknown(STORY, [stranger, Claim("STORY-900.1", "t")]) == (stranger,)


def test_claims_are_read_from_functions_methods_and_coroutines() -> None:
    source = """
@criterion("STORY-900.1")
def test_a(): ...

class TestB:
    @other
    @criterion("STORY-900.1", "STORY-900.D1")
    async def test_c(self): ...
"""
    assert {(claim.criterion, claim.test) for claim in claims_in(source, "f.py")} == {
        ("STORY-900.1", "f.py::test_a"),
        ("STORY-900.1", "f.py::test_c"),
        ("STORY-900.D1", "f.py::test_c"),
    }


@pytest.mark.parametrize(
    "source",
    ["@criterion('STORY-900.1')\ndef helper(): ...", "@criterion(NAME)\ndef test_a(): ..."],
)
def test_a_claim_that_no_reader_can_check_is_refused(source: str) -> None:
    with pytest.raises(UnreadableClaimError):
        list(claims_in(source, "f.py"))


@pytest.mark.parametrize("written", ["", "STORY-4.1", "STORY-004", "STORY-004.0", "STORY-004.D4"])
def test_a_misspelt_criterion_is_refused_when_the_test_is_imported(written: str) -> None:
    with pytest.raises(UnknownFormError):
        criterion(written)
