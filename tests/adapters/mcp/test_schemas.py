"""Schemas of strangers: what they say is checked, and no schema can keep anybody busy."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.mcp.schemas import Schema
from tests.recursion import RAISED, USUAL, recursion_limit

BOUND = 0.5


def wrong(schema: Mapping[str, object], value: object) -> str | None:
    return Schema(schema, "small.tool").wrong(value)


def test_mistakes_are_told_with_their_places() -> None:
    item = {"type": "object", "properties": {"n": {"type": "integer"}}}
    schema = {
        "properties": {"items": {"type": "array", "items": item}},
        "required": ["name"],
        "additionalProperties": False,
    }
    said = wrong(schema, {"items": [{"n": "x"}], "more": 1})
    assert said is not None
    assert "`items.0.n`: 'x' is not of type 'integer'" in said
    assert "'name' is a required property" in said
    assert "'more' was unexpected" in said


def test_what_a_schema_asks_for_passes() -> None:
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"b": {"enum": [1, 2]}}}}}
    assert wrong(schema, {"b": 1}) is None
    assert wrong(schema, {"b": 3}) == "`b`: 3 is not one of [1, 2]"


def test_a_harmless_pattern_is_tried() -> None:
    schema = {"properties": {"id": {"pattern": "^[A-Z]{3}-[0-9]+$"}}}
    assert wrong(schema, {"id": "ABC-12"}) is None
    assert wrong(schema, {"id": "abc"}) is not None


@pytest.mark.parametrize(
    ("pattern", "right", "not_right"),
    [
        ("^(asc|desc)$", "desc", "descending"),
        ("^(" + "|".join(f"eu-west-{n}" for n in range(40)) + ")$", "eu-west-39", "eu-west-40"),
        (r"^\d{4}-\d{2}-\d{2}$", "2026-11-28", "28.11.2026"),
        (
            "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
            "01234567-89ab-4def-8123-456789abcdef",
            "01234567-89ab-4def-8123-456789abcdeg",
        ),
        (r"^[^@]+@[^@]+\.[^@]+$", "ada@example.org", "ada@localhost"),
        ("^(?:https|http)://.+$", "https://example.org/a", "ftp://example.org/a"),
        ("^(?=.*[0-9]).{8}", "passw0rd", "password"),
        ("^[a-z\u00e4\u00f6\u00fc]+$", "m\u00fchle", "M\u00fchle"),
    ],
)
def test_usual_patterns_are_tried(pattern: str, right: str, not_right: str) -> None:
    schema = {"properties": {"a": {"pattern": pattern}}}
    assert wrong(schema, {"a": right}) is None
    assert wrong(schema, {"a": not_right}) is not None


def test_patterns_for_names_are_tried() -> None:
    schema = {
        "patternProperties": {"^(x|y)-": {"type": "string"}, "^[0-9]{2}$": {}},
        "additionalProperties": False,
    }
    assert wrong(schema, {"x-a": "b", "12": 3}) is None
    assert wrong(schema, {"y-a": 1}) == "`y-a`: 1 is not of type 'string'"
    assert wrong(schema, {"z-a": 1}) is not None


def test_an_older_dialect_is_understood() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"pair": {"items": [{"type": "string"}, {"type": "number"}]}},
    }
    assert wrong(schema, {"pair": ["a", 1]}) is None
    assert wrong(schema, {"pair": ["a", "b"]}) is not None


def test_a_tree_is_checked_as_deep_as_arguments_may_be() -> None:
    node = {
        "properties": {
            "children": {"items": {"$ref": "#/$defs/node"}},
            "n": {"type": "integer"},
        }
    }
    tree: dict[str, object] = {"n": "a"}
    for _ in range(32):
        tree = {"children": [tree]}
    said = wrong({"$defs": {"node": node}, "$ref": "#/$defs/node"}, tree)
    assert said is not None
    assert said.endswith("'a' is not of type 'integer'")


def doubling(depth: int) -> dict[str, object]:
    defs: dict[str, object] = {"d0": {"type": "string"}}
    for level in range(depth):
        each = {"$ref": f"#/$defs/d{level}"}
        defs[f"d{level + 1}"] = {"anyOf": [each, each]}
    return {"$defs": defs, "properties": {"a": {"$ref": f"#/$defs/d{depth}"}}}


LARGE = {"v": ["x" * 10] * 15_000}
LATEST = "https://json-schema.org/draft/2020-12/schema"
HOSTILE: dict[str, tuple[Mapping[str, object], object]] = {
    "itself": ({"$ref": "#"}, {}),
    "doubling": (doubling(40), {"a": 1}),
    "repeated group": ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 5000 + "!"}),
    "many repetitions": ({"properties": {"a": {"pattern": "a*a*a*a*b"}}}, {"a": "a" * 5000}),
    "names": ({"patternProperties": {"^(a|a)*$": {}}}, {"a" * 5000 + "!": 1}),
    "other names": (
        {"patternProperties": {"^(a|a)*$": {}}, "additionalProperties": False},
        {"a" * 5000 + "!": 1},
    ),
    "alternatives": (
        {"properties": {"a": {"pattern": "^" + "(ab|[ac]b)" * 60 + "X"}}},
        {"a": "ab" * 60 + "cc"},
    ),
    "repeated group with a blank": (
        {"properties": {"a": {"pattern": "(?x)^(a+) *$"}}},
        {"a": "a" * 27 + "!"},
    ),
    "repeated group with a blank, inside": (
        {"properties": {"a": {"pattern": "^(?x:(a+) *)$"}}},
        {"a": "a" * 27 + "!"},
    ),
    "letters of any case": (
        {"properties": {"a": {"pattern": "(?i)" + "[!-\uffff]" * 390}}},
        {"a": "a"},
    ),
    "large classes": (
        {"properties": {"a": {"pattern": "[a-bd-eg-h\u3131-\uff00]" * 140}}},
        {"a": "a"},
    ),
    "classes by number": (
        {"properties": {"a": {"pattern": r"[a-bd-eg-h\u3131-\uff00]" * 90}}},
        {"a": "a"},
    ),
    "looking ahead": (
        {"properties": {"a": {"pattern": "(?=a{1000})" * 180 + "X"}}},
        {"a": "a" * 5000},
    ),
    "many names": (
        {"patternProperties": {f"a*[a{chr(98 + n)}]*!": {} for n in range(20)}},
        {f"{'a' * 95}{n}": 1 for n in range(4000)},
    ),
    "half groups": (
        {
            "additionalProperties": False,
            "patternProperties": {
                "^(a": {},
                **{f"a)(a(?#{n})": {} for n in range(40)},
                "a)X": {},
            },
        },
        {"a" * 60: 1},
    ),
    "different items": (
        {"properties": {"a": {"uniqueItems": True}}},
        {"a": [{"n": n} for n in range(20_000)]},
    ),
    "long choice": (
        {"properties": {"a": {"items": {"enum": list(range(8000))}}}},
        {"a": [-1] * 20_000},
    ),
    "many branches": ({"anyOf": [{"type": "string"}] * 3000}, LARGE),
    "one of many": ({"oneOf": [{"type": "string"}] * 500}, LARGE),
    "too large to look at": ({"anyOf": [{"type": "string"}] * 500}, {"v": ["x" * 10] * 50_000}),
    "long words": (
        {"anyOf": [{"properties": {"v": {"items": {"enum": ["y" * 90_000]}}}}]},
        {"v": ["x" * 1000] * 700},
    ),
    "long names": ({"anyOf": [{"additionalProperties": False}] * 500}, {"k" * 700_000: 1}),
    "large and almost equal": (
        {
            "$defs": {"c": {"const": {"v": [*["x"] * 7000, "y"]}}},
            "anyOf": [{"$ref": "#/$defs/c"}] * 500,
        },
        {"v": ["x"] * 7001},
    ),
    "names that are sought": (
        {
            "$defs": {str(n): {"$anchor": f"a{n}"} for n in range(2000)},
            "anyOf": [{"$ref": "#nowhere"}] * 500,
        },
        {},
    ),
    "different objects": (
        {"properties": {"v": {"uniqueItems": True}}},
        {"v": [{"k": [*[1] * 90, n]} for n in range(199)]},
    ),
    "many patterns": (
        {"patternProperties": {f"x{n}": {} for n in range(3000)}},
        {str(n): 1 for n in range(15_000)},
    ),
    "another dialect": (
        {"properties": {"a": {"$schema": LATEST, "pattern": "^(a+)+$"}}},
        {"a": "a" * 100 + "!"},
    ),
    "somewhere else": ({"$ref": "http://127.0.0.1:9/schema"}, {}),
    "a file": ({"$ref": "file:///etc/passwd"}, {}),
    "nowhere": ({"$ref": "#/$defs/nothing"}, {}),
    "no pattern": ({"properties": {"a": {"pattern": "("}}}, {"a": "b"}),
    "no schema": ({"type": 3, "properties": []}, {}),
    "deep": ({"properties": {"a": {"not": {}}}}, {"a": 1}),
    "evaluated": ({"allOf": [{"$ref": "#"}] * 3, "unevaluatedProperties": False}, {"a": 1}),
}


@pytest.mark.parametrize("limit", [USUAL, RAISED])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_schema_keeps_anybody_busy(name: str, limit: int) -> None:
    schema, value = HOSTILE[name]
    with recursion_limit(limit), left_alone():
        began = thread_time()
        wrong(schema, value)
        took = thread_time() - began
    assert took < BOUND


@contextmanager
def left_alone() -> Iterator[None]:
    """Nothing of what other tests left is collected meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"multipleOf": 0.5}, 10**400),
        ({"multipleOf": 0.1}, float("inf")),
        ({"$ref": "#/x", "x": {"multipleOf": 0}}, 1),
        ({"$ref": "#/x", "x": {"type": "foo"}}, 1),
    ],
)
def test_what_cannot_be_computed_counts_as_right(
    schema: Mapping[str, object], value: object
) -> None:
    assert wrong(schema, value) is None


def test_a_large_value_is_not_quoted_whole() -> None:
    assert wrong({"type": "string"}, LARGE) == "{1 members} is not of type 'string'"
    assert wrong({"type": "object"}, ["x" * 1000] * 30) == "[30 items] is not of type 'object'"
    said = wrong({"type": "object"}, "x" * 1_000_000)
    assert said is not None
    assert said.endswith("x'… is not of type 'object'")


def test_a_large_schema_can_be_checked() -> None:
    properties = {str(n): {"type": "string", "enum": ["a", "b"]} for n in range(300)}
    assert wrong({"properties": properties}, {"299": "c"}) == "`299`: 'c' is not one of ['a', 'b']"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
KEYWORDS = st.sampled_from(
    [
        *("type", "properties", "items", "pattern", "enum", "anyOf", "$ref", "required", "$id"),
        *("not", "multipleOf", "minimum", "minLength", "contains", "patternProperties"),
    ]
)
SCHEMAS = st.dictionaries(
    KEYWORDS,
    JSON | st.dictionaries(KEYWORDS, JSON) | st.lists(st.dictionaries(KEYWORDS, JSON), max_size=3),
)


@given(SCHEMAS, JSON)
def test_whatever_a_schema_says_checking_answers(schema: dict[str, object], value: object) -> None:
    said = wrong(schema, value)
    assert said is None or said.isprintable()
