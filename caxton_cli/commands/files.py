"""Agent files without a server: written, checked, explained."""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caxton_cli import exits
from caxton_cli.agent_files import Check, checked
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, note, tell_problems

if TYPE_CHECKING:
    from caxton_cli.judging import House


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

    Exit code 0 means that all of them could be deployed, 4 that one of them is not valid, 5 that
    only the policy of this machine's settings refuses one.
    """
    known = _house()
    checks = [(path, _with_policy(_checked(path), known)) for path in paths]
    valid = [_is_valid(check, deny_warnings=deny_warnings) for _, check in checks]
    told = zip(checks, valid, strict=True)
    if as_json:
        found = [_verdict(path, check, valid=one) for (path, check), one in told]
        emit({"valid": all(valid), "files": found})
    else:
        for (_, check), one in told:
            _tell(check, valid=one)
    if all(valid):
        return exits.DONE
    wrong = any(isinstance(check, Leave) or check.agent is None for _, check in checks)
    refused = any(not isinstance(check, Leave) and check.report.errors for _, check in checks)
    return exits.REFUSED if refused and not wrong else exits.INVALID


def _house() -> "House | None":
    """The policy of this machine; a file can be checked where its settings cannot be read."""
    from caxton_cli.judging import house

    try:
        return house(None, None, None)
    except Leave as leave:
        note(f"the policy is not checked: {leave.message}")
        return None


def _with_policy(check: Check | Leave, known: "House | None") -> Check | Leave:
    """The check with what the policy finds in the file."""
    from caxton_core.reading.report import merged

    findings = None if isinstance(check, Leave) or known is None else known.findings(check)
    if isinstance(check, Leave) or findings is None:
        return check
    return check._replace(report=merged(check.report, findings))


def _checked(path: Path) -> Check | Leave:
    """What was found in the file, or why it cannot be read: the others are checked all the same."""
    try:
        return checked(path)
    except Leave as unreadable:
        return unreadable


def _is_valid(check: Check | Leave, *, deny_warnings: bool) -> bool:
    if isinstance(check, Leave) or check.agent is None:
        return False
    return not check.report.errors and not (deny_warnings and check.report.placed)


def _verdict(path: Path, check: Check | Leave, *, valid: bool) -> dict[str, object]:
    """The check for a program; `unreadable` says why there is none."""
    from caxton_core.reading.report import machine

    if isinstance(check, Leave):
        return {"file": str(path), "valid": False, "problems": [], "unreadable": check.message}
    return {"file": check.file, "valid": valid, "problems": machine(check.report)}


def _tell(check: Check | Leave, *, valid: bool) -> None:
    from caxton_core.reading.report import human

    if isinstance(check, Leave):
        check.show()
        return
    tell_problems(human(check.report))
    if valid:
        print(f"{check.file} is valid")


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
