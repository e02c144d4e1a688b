"""The policy's file: every problem at once, presets below it, environments above it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_core.agent.policy.file import (
    BUILT_IN,
    InForce,
    built_in,
    read_policy,
    read_policy_table,
    values_of,
)
from caxton_core.agent.policy.levels import Level, OnViolation, Preset
from caxton_core.agent.policy.presets import PRESETS
from caxton_core.agent.policy.tables import Policy, PolicyFile
from caxton_core.primitives import TokenCount
from caxton_core.reading.describing import entries
from caxton_core.reading.layout import tables
from caxton_core.reading.report import Report, human
from caxton_core.testing.agent import table_values, tables_like

HOUSE = """
preset = "strict"
on_violation = "stop"
[limits]
max_tokens = 500
[permissions]
deny = ["shell.*"]

[environments.dev]
preset = "relaxed"
[environments.dev.limits]
max_tokens = 9000

[environments.production.tools]
never = ["mail.*"]
"""


def in_force(text: str, environment: str | None = None) -> InForce:
    read = read_policy(text, environment=environment)
    assert isinstance(read, Success), read
    return read.unwrap()


def refused(text: str, environment: str | None = None) -> Report:
    read = read_policy(text, environment=environment)
    assert isinstance(read, Failure), read
    return read.failure()


def test_an_empty_file_is_the_default_preset() -> None:
    unwritten = built_in()
    assert isinstance(unwritten, Success)
    assert in_force("").policy == Policy() == unwritten.unwrap().policy
    assert unwritten.unwrap().file == BUILT_IN


def test_a_file_stands_above_its_preset() -> None:
    policy = in_force(HOUSE).policy
    assert policy.preset is Preset.STRICT
    assert policy.on_violation is OnViolation.STOP
    assert policy.limits.max_tokens == TokenCount(500)
    assert policy.tools.wildcards is Level.ERROR
    assert [rule.value for rule in policy.permissions.deny] == ["shell.*"]


def test_an_environment_stands_above_the_file_and_may_have_a_preset_of_its_own() -> None:
    dev, production = in_force(HOUSE, "dev").policy, in_force(HOUSE, "production").policy
    assert (dev.preset, dev.limits.max_tokens) == (Preset.RELAXED, TokenCount(9000))
    assert dev.tools.wildcards is Level.OFF
    assert production.preset is Preset.STRICT
    assert [glob.value for glob in production.tools.never] == ["mail.*"]


def test_every_value_is_told_with_its_place() -> None:
    sources = in_force(HOUSE, "dev").sources
    assert sources["limits", "max_tokens"] == "policy.toml, environment dev"
    assert sources["permissions", "deny"] == "policy.toml"
    assert sources["tools", "wildcards"] == "preset relaxed"
    assert set(sources) >= {path for path, _ in values_of(Policy())}


def test_an_environment_that_the_file_does_not_have_is_refused() -> None:
    told = human(refused(HOUSE, "prodution"))
    assert "CX2222" in told
    assert "production" in told


def test_no_name_is_right_where_there_are_no_environments() -> None:
    told = human(refused('preset = "strict"', "production"))
    assert "has no environment `production`; it has: none" in told
    unwritten = built_in("production")
    assert isinstance(unwritten, Failure)
    assert "CX2222" in human(unwritten.failure())


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    report = refused(
        'preset = "strct"\n[tools]\nnevr = ["x.*"]\nwildcards = "no"\n[limits]\nmax_tokens = 0\n'
        '[prompts]\nnever = ["(a"]\n[environments.dev.secrets]\nentropy = 99\n'
        "[permissions]\nallow = []\n"
    )
    lines = [(each.problem.what.code, each.range.line) for each in report.errors]
    assert lines == [
        ("CX1105", 1),
        ("CX1002", 3),
        ("CX1105", 4),
        ("CX1103", 6),
        ("CX1102", 8),
        ("CX1103", 10),
        ("CX2223", 12),
    ]
    assert "Did you mean `strict`?" in human(report)
    assert "Did you mean `never`?" in human(report)


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_reads_as_a_policy(preset: Preset) -> None:
    assert isinstance(read_policy_table(dict(PRESETS[preset])), Success)


def test_every_key_of_a_policy_has_a_meaning_and_an_example() -> None:
    for entry in entries(PolicyFile):
        assert entry.says, entry.at
        assert entry.example or entry.type == "table", entry.at


@given(tables_like({str(path[0]) if path else "": keys for path, keys in tables(Policy).items()}))
def test_reading_a_policy_answers_whatever_its_table_holds(table: dict[str, object]) -> None:
    read_policy_table(table, environment="dev")


@given(st.text(max_size=200))
def test_reading_a_policy_answers_whatever_its_text_is(text: str) -> None:
    read_policy(text)


@given(st.dictionaries(st.sampled_from(("dev", "environments", "preset")), table_values))
def test_environments_may_hold_anything(table: dict[str, object]) -> None:
    read_policy_table({"environments": table}, environment="dev")
