"""A primitive cannot exist without following its rule, and says itself how it is written."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.primitives import (
    AgentName,
    CapabilityName,
    Cores,
    Count,
    Duration,
    FreeTable,
    JsonObject,
    JsonValue,
    PermissionRule,
    Priority,
    RealNumber,
    Seed,
    Size,
    SystemPrompt,
    Temperature,
    Text,
    ToolPattern,
    Usd,
    UserPromptTemplate,
    WholeNumber,
    json_object,
    kebab,
)
from caxton_core.problems import Malformed
from caxton_core.testing.agent import (
    dollars,
    durations,
    free_tables,
    json_objects,
    json_values,
    sizes,
)
from tests.recursion import RAISED, USUAL, recursion_limit

TEXTS = [cls for cls in Text.__subclasses__() if cls.__module__ == AgentName.__module__]


@pytest.mark.parametrize("cls", TEXTS)
@given(text=st.text(max_size=200))
def test_a_text_is_read_exactly_when_it_may_exist(cls: type[Text], text: str) -> None:
    read = cls.parse(text)
    if isinstance(read, Success):
        assert read.unwrap() == cls(text)
    else:
        with pytest.raises(ValueError, match=r"."):
            cls(text)


@pytest.mark.parametrize("cls", TEXTS)
@given(text=st.text(max_size=200))
def test_a_suggestion_is_itself_right(cls: type[Text], text: str) -> None:
    read = cls.parse(text)
    if isinstance(read, Failure) and isinstance(broken := read.failure(), Malformed):
        assert broken.suggestion is None or isinstance(cls.parse(broken.suggestion), Success)


@pytest.mark.parametrize("cls", TEXTS)
def test_the_example_of_a_rule_follows_it(cls: type[Text]) -> None:
    assert cls(cls.rule.example).value == cls.rule.example


@pytest.mark.parametrize("cls", [Count, Seed, Priority, Temperature, Cores])
@given(number=st.integers() | st.just(10**5000) | st.just(-(10**400)))
def test_a_number_is_read_exactly_when_it_may_exist(
    cls: type[WholeNumber | RealNumber], number: int
) -> None:
    if isinstance(cls.parse(number), Failure):
        with pytest.raises(ValueError, match=r"."):
            cls(number)


@given(number=st.floats())
def test_a_real_number_in_its_range_is_read(number: float) -> None:
    assert isinstance(Temperature.parse(number), Success) == (0 <= number <= 2)
    assert isinstance(Cores.parse(number), Success) == (0 < number <= 1024)


@given(durations)
def test_a_duration_is_written_as_it_is_read(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == Success(duration)


@given(sizes)
def test_a_size_is_written_as_it_is_read(size: Size) -> None:
    assert Size.parse(str(size)) == Success(size)


@given(dollars)
def test_dollars_are_exact(amount: Usd) -> None:
    assert Usd.parse(amount.dollars) == Success(amount)
    assert Usd.parse(float(str(amount))) == Success(amount)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30), ("5m", 300), ("24h", 86400), ("30d", 2592000)],
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert Duration.parse(text) == Success(Duration(seconds))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("30", "30s"), ("1.5h", "90m"), ("30 seconds", "30s"), ("5 Min", "5m"), ("2 days", "2d")],
)
def test_a_duration_in_other_words_is_understood(written: str, meant: str) -> None:
    read = Duration.parse(written)
    assert isinstance(read, Failure)
    assert isinstance(broken := read.failure(), Malformed)
    assert broken.suggestion == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("256 MiB", "256MB"), ("64kb", "64KB"), ("1.5GB", "1536MB"), ("2g", "2GB")],
)
def test_a_size_in_other_words_is_understood(written: str, meant: str) -> None:
    read = Size.parse(written)
    assert isinstance(read, Failure)
    assert isinstance(broken := read.failure(), Malformed)
    assert broken.suggestion == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("My Agent", "my-agent"),
        ("DataAnalyzer", "data-analyzer"),
        ("HTTPServer2", "http-server2"),
        ("snake_case", "snake-case"),
        ("  Café Bot!  ", "cafe-bot"),
        ("42", None),
    ],
)
def test_names_are_proposed_in_kebab_case(written: str, meant: str | None) -> None:
    assert kebab(written) == meant


def test_only_usual_cases_of_a_capability_are_normalised() -> None:
    assert CapabilityName.normalised("Data_Analysis") == Success(CapabilityName("data-analysis"))
    assert isinstance(CapabilityName.normalised("data analysis!"), Failure)


def levels(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(levels, value.values()), default=0)
        case list():
            return 1 + max(map(levels, value), default=0)
        case _:
            return 0


@given(json_objects)
def test_the_depth_of_a_json_object_is_that_of_its_values(found: JsonObject) -> None:
    assert found.depth == levels(found.members())


@pytest.mark.parametrize(
    ("text", "depth"), [("{}", 1), (r'{"a\"}{[":[[]],"b":"\\"}', 3), ('{"[[[[":"]]"}', 1)]
)
def test_brackets_in_texts_are_no_depth(text: str, depth: int) -> None:
    assert JsonObject(text).depth == depth


@pytest.mark.parametrize("limit", [USUAL, RAISED])
def test_how_deep_json_may_be_does_not_depend_on_the_interpreter(limit: int) -> None:
    nested = ['{"a":' * depth + "1" + "}" * depth for depth in (64, 65)]
    with recursion_limit(limit):
        read = [JsonObject.parse(text) for text in nested]
        values = [JsonValue.parse(json.loads(text)) for text in nested]
    assert [isinstance(each, Success) for each in (*read, *values)] == [True, False] * 2


@pytest.mark.parametrize("text", ['"' + '\\"' * 200_000, "\\\n" * 200_000, '"' * 400_001])
def test_the_depth_of_what_is_no_json_is_soon_told(text: str) -> None:
    assert json_object.levels(text) == 0


@given(json_objects)
def test_a_json_object_is_canonical(found: JsonObject) -> None:
    assert JsonObject.parse(json.dumps(found.members())) == Success(found)
    assert JsonObject.of(found.members()) == found


@given(json_values | st.text())
def test_only_objects_are_json_objects(value: object) -> None:
    read = JsonObject.parse(json.dumps(value))
    assert isinstance(read, Success) == isinstance(value, dict)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": NaN}', '{"a": 1e999}', "[" * 100_000])
def test_broken_json_is_a_value(text: str) -> None:
    assert isinstance(JsonObject.parse(text), Failure)


@given(free_tables)
def test_a_free_table_is_a_value(table: FreeTable) -> None:
    assert table == dict(table)
    assert hash(table) == hash(FreeTable.of(dict(reversed(list(table.items())))))
    assert pickle.loads(pickle.dumps(table)) == table


def test_a_pattern_covers_the_tools_of_its_server() -> None:
    everything, one = ToolPattern("files.*"), ToolPattern("files.read")
    assert everything.covers(one)
    assert not one.covers(everything)
    assert not everything.covers(ToolPattern("filesystem.read"))


def test_a_permission_may_have_a_condition() -> None:
    rule = PermissionRule("files.read:path=/reports/*=x")
    assert (rule.tool, rule.condition) == (ToolPattern("files.read"), ("path", "/reports/*=x"))
    assert PermissionRule("files.*").condition is None
    several = PermissionRule("files.move:source,destination=/srv/**")
    assert several.condition == ("source,destination", "/srv/**")
    assert several.arguments == ("source", "destination")
    assert rule.arguments == ("path",)
    assert PermissionRule("files.*").arguments == ()


def test_primitives_of_different_kinds_differ() -> None:
    different: tuple[object, ...] = (AgentName("a"), CapabilityName("a"), Count(1), Temperature(1))
    assert len(set(different)) == len(different)


def test_placeholders_are_told_once_in_order() -> None:
    template = UserPromptTemplate("{{b}} {{ a }} {{b}} {c} {{}}")
    assert template.placeholders == ("b", "a", "")


def test_a_prompt_keeps_its_white_space() -> None:
    assert SystemPrompt("\n  a\t\n").value == "\n  a\t\n"
