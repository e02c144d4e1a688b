"""The generated references are what the code says today."""

import json

import jsonschema_rs
import pytest
import tomli
from hypothesis import HealthCheck, given, settings
from returns.result import Failure

from caxton_core.agent.catalogue import agent_file_reference, agent_schema
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.toml import read_agent, read_agent_table
from caxton_core.reading.describing import entries
from caxton_core.reading.layout import tables
from caxton_core.reading.written import table_of
from caxton_core.testing.agent import agent_configs, tables_like
from tests.core.agent.test_mutations import VALID
from tests.generate_reference import REFERENCE, pages

VALIDATOR = jsonschema_rs.validator_for(json.loads(json.dumps(agent_schema())))
OF_TEXT = {"CX1007", "CX1302"}
slowly = settings(
    max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("name", pages())
def test_the_page_is_current(name: str) -> None:
    assert (REFERENCE / name).read_text("utf-8") == pages()[name], (
        "run: python -m tests.generate_reference"
    )


def test_every_key_has_a_meaning_and_an_example() -> None:
    for entry in entries(AgentConfig):
        assert entry.says, entry.at
        assert entry.example or entry.type == "table", entry.at


def test_every_example_is_a_value_that_its_key_takes() -> None:
    for entry in entries(AgentConfig):
        if entry.example and len(entry.at) <= 2 and entry.at[0] not in {"name", "system_prompt"}:
            header = f"[{entry.at[0]}]\n" if len(entry.at) == 2 else ""
            text = f'name = "a"\nsystem_prompt = "b"\n{header}{entry.at[-1]} = {entry.example}'
            assert not isinstance(read_agent(text), Failure), text


def test_every_default_is_documented() -> None:
    assert all(entry.default for entry in entries(AgentConfig))
    rows = agent_file_reference()
    for keys in tables(AgentConfig).values():
        assert all(f"| `{key}` |" in rows or f"## [{key}]" in rows for key in keys)


def test_the_schema_accepts_a_valid_file() -> None:
    assert VALIDATOR.is_valid(tomli.loads(VALID))


@slowly
@given(agent_configs)
def test_the_schema_accepts_every_configuration(config: AgentConfig) -> None:
    table = json.loads(json.dumps(table_of(config), default=str))
    if "NaN" not in str(table) and "Infinity" not in json.dumps(table):
        assert VALIDATOR.is_valid(table), list(VALIDATOR.iter_errors(table))


@slowly
@given(tables_like(dict.fromkeys(tables(AgentConfig)[()], ())))
def test_what_the_schema_refuses_the_reader_refuses(table: dict[str, object]) -> None:
    try:
        plain: dict[str, object] = json.loads(json.dumps(table, allow_nan=False))
    except (TypeError, ValueError):
        return
    if read_agent_table(plain).__class__ is not Failure:
        assert VALIDATOR.is_valid(plain)
