from pathlib import Path

from tests.cli.command import Shell

CANARY = "sk-canary-0123456789abcdefghij"


def test_the_demo_answers_from_nothing_and_leaves_nothing(shell: Shell) -> None:
    temporary = shell.directory / "tmp"
    temporary.mkdir()
    shown = shell.run("demo", TMPDIR=str(temporary))
    assert (shown.code, shown.err) == (0, "")
    assert "no model is configured, so its embedded scripted provider answers" in shown.out
    assert '| name = "greeter"' in shown.out
    assert "greeter: Hello, and welcome!" in shown.out
    assert "caxton init hello" in shown.out
    assert list(temporary.iterdir()) == []
    assert {path.name for path in shell.directory.iterdir()} == {"tmp"}


def test_the_demo_needs_no_settings_of_the_person(shell: Shell) -> None:
    shell.write("caxton.toml", "broken = [")
    shell.write("config.toml", "broken = [")
    assert shell.run("demo", CAXTON_PORT="many").code == 0


def test_a_model_that_cannot_be_reached_is_told_and_the_server_stopped(shell: Shell) -> None:
    refused = shell.run("demo", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    assert refused.code == 1
    assert refused.err.startswith("error[CX5")
    assert "http://127.0.0.1:9/v1" in refused.out


def test_the_log_of_a_server_that_did_not_come_up_stays(shell: Shell) -> None:
    (shell.directory / "tmp").mkdir()
    shell.write("uvicorn.py", "raise SystemExit(7)\n")
    refused = shell.run(
        "demo", TMPDIR=str(shell.directory / "tmp"), PYTHONPATH=str(shell.directory)
    )
    assert refused.code == 1
    log = refused.err.rpartition("the whole log is in ")[2].strip()
    assert Path(log).is_file()


def test_a_key_is_not_written_down(shell: Shell) -> None:
    temporary = shell.directory / "tmp"
    temporary.mkdir()
    refused = shell.run(
        "demo",
        OPENAI_API_KEY=CANARY,
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        TMPDIR=str(temporary),
    )
    assert refused.code == 1
    assert CANARY not in refused.out + refused.err
    assert list(temporary.iterdir()) == []
