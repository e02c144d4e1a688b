import json

import pytest

from tests.cli.command import Shell

BROKEN = 'name = "A b"\nsystem_prompt = "x"\n[llm]\ntemprature = 1\n'


def test_init_writes_a_file_that_is_valid(shell: Shell) -> None:
    made = shell.run("init", "my-agent")
    assert (made.code, made.out) == (0, "my-agent.toml\n")
    assert "next: caxton deploy my-agent.toml" in made.err
    checked = shell.run("validate", "my-agent.toml")
    assert (checked.code, checked.out, checked.err) == (0, "my-agent.toml is valid\n", "")


def test_init_replaces_nothing_unasked(shell: Shell) -> None:
    shell.write("hello.toml", "mine")
    refused = shell.run("init")
    assert refused.code == 1
    assert "--force" in refused.err
    assert shell.run("init", "--force").code == 0


def test_init_knows_what_an_agent_may_be_called(shell: Shell) -> None:
    refused = shell.run("init", "My Agent")
    assert refused.code == 4
    assert "my-agent" in refused.err


def test_problems_are_shown_where_they_stand(shell: Shell) -> None:
    shell.write("agent.toml", BROKEN)
    checked = shell.run("validate", "agent.toml")
    assert (checked.code, checked.out) == (4, "")
    assert "4 | temprature = 1\n  | ^^^^^^^^^^" in checked.err
    assert "Did you mean `temperature`?" in checked.err


def test_problems_can_be_read_by_programs(shell: Shell) -> None:
    shell.write("agent.toml", BROKEN)
    checked = shell.run("validate", "agent.toml", "--json")
    document = json.loads(checked.out)
    assert (checked.code, checked.err, document["valid"]) == (4, "", False)
    problems = document["files"][0]["problems"]
    assert {"CX1002", "CX1102"} <= {problem["code"] for problem in problems}
    assert all(problem["range"]["start"]["line"] for problem in problems)


def test_warnings_fail_only_where_they_are_denied(shell: Shell) -> None:
    shell.write("agent.toml", 'name = "a"\nsystem_prompt = "x"\n')
    assert shell.run("validate", "agent.toml").code == 0
    assert shell.run("validate", "agent.toml", "--deny-warnings").code == 4


def test_standard_input_is_a_file_too(shell: Shell) -> None:
    assert shell.run("validate", "-", stdin=BROKEN).code == 4


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_told(shell: Shell, name: str) -> None:
    refused = shell.run("validate", name)
    assert refused.code == 4
    assert f"{name} cannot be read" in refused.err


def test_a_file_that_cannot_be_read_keeps_no_other_from_being_checked(shell: Shell) -> None:
    shell.write("good.toml", 'name = "a"\nversion = "1.0.0"\nsystem_prompt = "x"\n')
    shell.write("broken.toml", BROKEN)
    names = ("missing.toml", "good.toml", "broken.toml", "absent.toml")
    checked = shell.run("validate", *names)
    assert (checked.code, checked.out) == (4, "good.toml is valid\n")
    assert "missing.toml cannot be read" in checked.err
    assert "temprature" in checked.err
    assert "absent.toml cannot be read" in checked.err
    document = json.loads(shell.run("validate", *names, "--json").out)
    files = [(one["file"], one["valid"], "unreadable" in one) for one in document["files"]]
    assert (document["valid"], [one[0] for one in files]) == (False, list(names))
    assert [one[1:] for one in files] == [
        (False, True),
        (True, False),
        (False, False),
        (False, True),
    ]


@pytest.mark.parametrize(("name", "way"), [("missing.toml", "caxton init"), (".", "*.toml")])
def test_the_way_out_fits_what_was_named(shell: Shell, name: str, way: str) -> None:
    refused = shell.run("validate", name)
    assert way in refused.err
    assert ("caxton init" in refused.err) is (name != ".")


def test_a_file_that_is_no_text_is_told(shell: Shell) -> None:
    (shell.directory / "agent.toml").write_bytes(b"\xff\xfe")
    assert "CX1011" in shell.run("validate", "agent.toml").err


def test_a_code_is_explained(shell: Shell) -> None:
    explained = shell.run("explain", "cx1002")
    assert explained.code == 0
    assert "temprature" in explained.out
    assert shell.run("explain", "CX9999").code == 2


def test_the_schema_is_one_json_document(shell: Shell) -> None:
    printed = shell.run("schema")
    assert "system_prompt" in json.loads(printed.out)["properties"]
    assert "system_prompt" in shell.run("schema", "--format", "markdown").out
    assert shell.run("schema", "-o", "agent.schema.json").code == 0
    assert json.loads((shell.directory / "agent.schema.json").read_text()) == json.loads(
        printed.out
    )
