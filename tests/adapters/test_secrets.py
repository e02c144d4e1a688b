"""A secret shows itself only when it is asked to."""

import copy
import json
import pickle

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.secrets import MASK, Secret


@frozen
class Holder:
    key: Secret


@given(st.text())
def test_it_is_what_was_put_in(text: str) -> None:
    assert Secret(text).reveal() == text
    assert Secret(text) == Secret(text)
    assert hash(Secret(text)) == hash(Secret(text))
    assert Secret(text) != Secret(text + "x")
    assert bool(Secret(text)) == bool(text)


def test_nothing_prints_it() -> None:
    secret = Secret("canary")
    shown = f"{secret} {secret!r} {secret!s:>10} {Holder(secret)} {[secret]}"
    assert "canary" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "way",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars],
    ids=["pickle", "copy", "deep copy", "JSON", "vars"],
)
def test_nothing_writes_it_down(way: object) -> None:
    assert callable(way)
    with pytest.raises(TypeError) as raised:
        way(Secret("canary"))
    assert "canary" not in str(raised.value)


def test_it_is_not_its_text() -> None:
    assert Secret("canary") != "canary"
