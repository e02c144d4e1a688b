"""Agent files without a server: written, checked, explained."""

import json
from importlib.resources import files
from pathlib import Path

import click

from caxton_cli import exits
from caxton_cli.agent_files import checked
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, note, tell_problems


@click.command()
@click.argument("name", default="hello")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Another file name.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def init(*, name: str, output: Path | None, force: bool) -> int:
    """Write an agent file to start from, with comments: NAME.toml for an agent called NAME."""
    from returns.result import Failure

    from caxton_core.primitives import AgentName
    from caxton_core.reading.wording import advice, message

    parsed = AgentName.parse(name)
    if isinstance(parsed, Failure):
        what = parsed.failure()
        raise Leave(message(what), exit_code=exits.INVALID, code=what.code, hint=advice(what))
    path = output or Path(f"{name}.toml")
    template = files("caxton_cli") / "templates" / "agent.toml"
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(template.read_text("utf-8").replace("{name}", name))
    except FileExistsError as error:
        raise Leave(f"{path} exists", hint="replace it with --force") from error
    except OSError as error:
        raise Leave(f"{path} cannot be written: {error.strerror}") from error
    print(path)
    note(f"next: caxton deploy {path}")
    return exits.DONE


@click.command()
@click.argument("paths", metavar="FILES...", nargs=-1, required=True, type=Path)
@click.option("--deny-warnings", is_flag=True, help="Fail on warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def validate(*, paths: tuple[Path, ...], deny_warnings: bool, as_json: bool) -> int:
    """Check agent FILES, without a server; `-` is standard input.

    Exit code 0 means that all of them could be deployed, 4 that one of them could not.
    """
    from caxton_core.reading.report import human, machine

    checks = [checked(path) for path in paths]
    wrong = [c for c in checks if c.agent is None or (deny_warnings and c.report.placed)]
    if as_json:
        found = [
            {"file": c.file, "valid": c not in wrong, "problems": machine(c.report)} for c in checks
        ]
        emit({"valid": not wrong, "files": found})
    else:
        for check in checks:
            tell_problems(human(check.report))
            if check not in wrong:
                print(f"{check.file} is valid")
    return exits.INVALID if wrong else exits.DONE


@click.command()
@click.argument("code")
def explain(*, code: str) -> int:
    """Explain the CODE of a problem: what it means, why the rule exists, how to repair it."""
    from caxton_core.codes.catalogue import EXPLANATIONS
    from caxton_core.codes.catalogue import explain as explained
    from caxton_core.reading.nearest import nearest

    text = explained(code)
    if text is None:
        close = nearest(code, EXPLANATIONS)
        raise Leave(
            f"no problem has the code {code}",
            exit_code=exits.USAGE,
            hint=f"did you mean {close}?" if close else "codes look like CX1002",
        )
    print(text)
    return exits.DONE


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(("json", "markdown")),
    default="json",
    show_default=True,
    help="JSON Schema for editors, or Markdown for people.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
def schema(*, form: str, output: Path | None) -> int:
    """Print the schema of agent files.

    An editor that knows TOML checks a file against it when the file's first line is
    `#:schema ./agent.schema.json`.
    """
    from caxton_core.agent.catalogue import agent_file_reference, agent_schema

    text = agent_file_reference() if form == "markdown" else json.dumps(agent_schema(), indent=2)
    if output is None:
        print(text)
        return exits.DONE
    try:
        output.write_text(f"{text}\n", "utf-8")
    except OSError as error:
        raise Leave(f"{output} cannot be written: {error.strerror}") from error
    note(f"next: begin an agent file with #:schema ./{output}")
    return exits.DONE
