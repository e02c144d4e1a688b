"""The files of other clients become registrations, and say what is missing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from caxton_adapters.mcp.importing import Imported, LeftOut, imported
from caxton_adapters.mcp.registration import Registration, broken_rules
from caxton_core.reading.tables import read


def taken(file: object) -> Imported:
    result = imported(file if isinstance(file, str) else json.dumps(file))
    assert isinstance(result, Success)
    return result.unwrap()


def test_a_command_and_an_address_are_taken_over() -> None:
    file = {
        "mcpServers": {
            "files": {"command": "npx", "args": ["-y", "server"], "env": {"LEVEL": 3}},
            "remote": {"type": "http", "url": "https://a.example/mcp", "headers": {"A": "b"}},
        }
    }
    assert taken(file) == Imported(
        {
            "files": {"command": "npx", "args": ["-y", "server"], "env": {"LEVEL": "3"}},
            "remote": {"url": "https://a.example/mcp", "headers": {"A": "b"}},
        }
    )


def test_a_working_directory_is_taken_over_and_what_needs_one_is_left_out() -> None:
    at = {"command": "files", "args": ["./docs"]}
    result = taken({"mcpServers": {"files": {**at, "cwd": "/srv"}, "lost": at}})
    assert result.servers == {"files": {**at, "cwd": "/srv"}}
    (left_out,) = result.left_out
    assert (left_out.server, left_out.key) == ("lost", "args.0")
    assert "a path that begins with `.` needs `cwd`" in left_out.why


def test_comments_and_folders_of_vs_code_are_understood() -> None:
    file = """
    {
      // my servers, at http://nowhere
      "servers": {
        "files": {
          "type": "stdio", "command": "npx", /* more */
          "args": ["http://kept // as it is", "${workspaceFolder}"],
          "env": {"LEVEL": "3"},
        },
      },
    }
    """
    result = taken(file)
    assert result.servers["files"]["env"] == {"LEVEL": "3"}
    assert result.servers["files"]["args"] == ["http://kept // as it is", "${workspaceFolder}"]
    assert result.left_out == (
        LeftOut("files", "args", "${workspaceFolder} means nothing here and stays as it is"),
    )


def test_a_server_that_asks_a_person_for_a_value_is_left_out() -> None:
    asks = {"url": "https://a.example/mcp", "headers": {"Authorization": "Bearer ${input:key}"}}
    result = taken({"servers": {"asks": asks, "files": {"command": "npx"}}})
    assert set(result.servers) == {"files"}
    why = "${input:key} is asked for there; write it under [mcp.servers] in caxton.toml"
    assert result.left_out == (LeftOut("asks", "", why),)


@pytest.mark.parametrize("key", ["${env:KEY}", "${KEY}", "${KEY:-none}", "Bearer ${env:KEY}"])
@pytest.mark.parametrize("member", ["env", "headers", "args"])
def test_a_server_that_needs_a_variable_is_left_out_with_the_place_for_it(
    key: str, member: str
) -> None:
    needs = {"command": "npx", member: [key] if member == "args" else {"A": key}}
    result = taken({"servers": {"My files!": needs, "docs": {"command": "docs"}}})
    assert result.servers == {"docs": {"command": "docs"}}
    [left] = result.left_out
    assert (left.server, left.key) == ("My files!", "")
    assert left.why.startswith("it needs ${KEY} of the environment")
    assert "[mcp.servers] in caxton.toml" in left.why


def test_what_is_renamed_is_not_left_out_and_what_is_left_out_is_not_renamed() -> None:
    file = {"servers": {"my files": {"command": "npx"}, "my old": {"type": "sse", "url": "x"}}}
    result = taken(file)
    assert result.renamed == {"my-files": "my files"}
    assert [each.server for each in result.left_out] == ["my old"]


def test_what_is_left_out_is_told() -> None:
    file = {
        "mcpServers": {
            "My files!": {"command": "npx", "autoApprove": ["read"], "disabled": True},
            "old": {"type": "sse", "url": "https://a.example/sse"},
            "memory": {"command": "other"},
            "none": {},
        }
    }
    result = taken(file)
    assert set(result.servers) == {"My-files", "memory-server"}
    assert result.servers["My-files"] == {"command": "npx", "enabled": False}
    assert {(each.server, each.key) for each in result.left_out} == {
        ("My-files", "autoApprove"),
        ("old", ""),
        ("none", ""),
    }
    assert result.renamed == {"My-files": "My files!", "memory-server": "memory"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mcpServers": []}', "[" * 100_000])
def test_a_file_without_servers_says_so(text: str) -> None:
    assert isinstance(imported(text), Failure)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
SERVERS = st.dictionaries(
    st.text(max_size=9),
    st.dictionaries(st.sampled_from(["command", "args", "env", "url", "headers", "type"]), JSON)
    | JSON,
    max_size=4,
)


@given(SERVERS)
def test_whatever_a_file_says_its_servers_can_be_registered(servers: dict[str, object]) -> None:
    for name, table in taken({"mcpServers": servers}).servers.items():
        written = read(Registration, table)
        assert isinstance(written, Success)
        assert [each for each in broken_rules(name, written.unwrap(), {}) if not each.at] == []
