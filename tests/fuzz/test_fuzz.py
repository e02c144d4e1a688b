"""What was found once stays found, and the search itself finds and keeps what it should."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.fuzz import running
from tests.fuzz.running import TookTooLong, attack, keep, tried_on
from tests.fuzz.target import CORPUS, Target
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_no_sample_of_the_corpus_breaks_its_parser(name: str) -> None:
    samples = TARGETS[name].samples()
    with TARGETS[name].opened() as run:
        broken = {sample: tried_on(run, data) for sample, data in samples.items()}
    assert {sample: how for sample, how in broken.items() if how} == {}
    assert any(sample.startswith("good") for sample in samples)
    assert any(sample.startswith("hostile") for sample in samples)


def test_every_folder_of_the_corpus_has_a_parser() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


def breaks_on_two_members(data: bytes) -> None:
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        return
    assert not isinstance(members, list) or len(members) < 2


def test_a_defect_is_found_made_small_and_tried_first_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "good").write_bytes(b"[[2]]")
    target = Target(
        "planted", lambda: nullcontext(breaks_on_two_members), (b", ", b"[2]"), corpus=tmp_path
    )
    outcome = attack(target, 30.0, seed=1)
    assert outcome.broken is not None
    assert len(outcome.broken.data) < 40
    assert Path(keep(target, outcome.broken)).read_bytes() == outcome.broken.data
    again = attack(target, 0.0, seed=2)
    assert again.broken is not None
    assert again.tried <= 2


def test_an_input_that_does_not_end_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST", 0.2)

    def for_ever(_: bytes) -> None:
        while True:
            pass

    broken = tried_on(for_ever, b"x")
    assert broken is not None
    assert broken.kind is TookTooLong
