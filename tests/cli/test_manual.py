import shutil
import subprocess
from pathlib import Path

import pytest

from caxton_cli import manual
from caxton_cli.root import COMMANDS, SERVER_COMMANDS, root, run, server
from tests.cli.command import Shell

CHECKOUT = Path(__file__).parents[2]


def test_man_pages_completions_and_reference_are_current() -> None:
    stale = [
        str(path)
        for path, text in manual.generated().items()
        if not (CHECKOUT / path).is_file() or (CHECKOUT / path).read_text("utf-8") != text
    ]
    assert stale == [], "run: python -m caxton_cli.manual ."


def test_no_page_is_left_of_a_command_that_is_gone() -> None:
    pages = {path.name for path in (CHECKOUT / manual.MAN).glob("*.1")}
    assert pages == {path.name for path in manual.generated() if path.suffix == ".1"}


def test_every_command_says_what_it_does_and_every_option_what_it_is_for() -> None:
    for page in manual.pages():
        assert page.says, page.words
        assert all(meaning for _, meaning in page.options), page.words


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    said = {page.words[1:]: page for page in manual.pages()}
    for name in COMMANDS:
        assert (name,) in said
    for name in SERVER_COMMANDS:
        assert ("server", name) in said
    assert root.name == "caxton"
    assert server.name == "server"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_man_pages_are_good_roff() -> None:
    paths = [CHECKOUT / path for path in manual.generated() if path.suffix == ".1"]
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.count("\nSYNOPSIS\n") == len(paths)


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for page in manual.pages():
        assert run([*page.words[1:], "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: {' '.join(page.words)}")


def test_a_mistyped_command_is_corrected(shell: Shell) -> None:
    refused = shell.run("lst")
    assert refused.code == 2
    assert "Did you mean 'list'?" in refused.err
    assert shell.run("server", "strat").code == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_and_options(shell: Shell) -> None:
    completed = shell.run(
        _CAXTON_COMPLETE="bash_complete", COMP_WORDS="caxton server st", COMP_CWORD="2"
    )
    assert {line.partition(",")[2] for line in completed.out.splitlines()} == {
        "start",
        "stop",
        "status",
    }


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: Shell, name: str) -> None:
    printed = shell.run("completion", name)
    assert printed.code == 0
    assert printed.out == (CHECKOUT / manual.COMPLETIONS[name]).read_text()
