"""`caxton policy ...`: the rules of the installation over agents, tried, shown, read again."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from caxton_cli import exits
from caxton_cli.agent_files import Check, checked
from caxton_cli.client import calls_server, connect, warnings_of
from caxton_cli.judging import House, house
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, note, tell_problems

if TYPE_CHECKING:
    from caxton_core.agent.policy.file import InForce
    from caxton_core.reading.report import Report

COMMENTS_AT = 52


class Judged(NamedTuple):
    """A file before the policy: what is wrong with it as a file, and what the policy says of it.

    `unreadable` says why there is neither.
    """

    file: str
    check: Check | None
    findings: "Report | None"
    unreadable: str = ""

    @property
    def verdict(self) -> str:
        """`conforms`, `refused` by the policy, or `invalid`."""
        if self.check is None or self.check.agent is None:
            return "invalid"
        return "refused" if self.findings is not None and self.findings.errors else "conforms"


@click.group()
def policy() -> None:
    """Look after the rules of the installation over agents."""


@policy.command("check")
@click.argument("paths", metavar="DIR|FILE...", nargs=-1, required=True, type=Path)
@click.option("--policy", "file", type=click.Path(path_type=Path), help="Try this policy.")
@click.option("--environment", help="Try the policy as it holds in this environment.")
@click.option("--deny-warnings", is_flag=True, help="Fail on warnings too.")
@click.option("--config", help="Read these settings before all others.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def check(
    *,
    paths: tuple[Path, ...],
    file: Path | None,
    environment: str | None,
    deny_warnings: bool,
    config: str | None,
    as_json: bool,
) -> int:
    """Hold agent files against the policy, without a server; of a directory all its *.toml.

    Exit code 0 means that all conform, 4 that a file is not valid, 5 that the policy refuses one.
    """
    known = house(file, environment, config)
    judged = [_judge(path, known) for path in _files(paths)]
    if as_json:
        emit(_document(known.in_force, judged))
    else:
        _tell(known.in_force, judged)
    return _exit_code(judged, deny_warnings=deny_warnings)


@policy.command("show")
@click.option("--sources", is_flag=True, help="Say where each value was written.")
@calls_server
def show(*, sources: bool, url: str | None, token: str | None, as_json: bool) -> int:
    """Print the policy that is in force on the server; the output is a policy itself."""
    document = connect(url, token).call("GET", "/policy").document
    if as_json:
        emit(document)
        return exits.DONE
    for line in _lines(document, sources=sources):
        print(line)
    return exits.DONE


@policy.command("reload")
@calls_server
def reload(*, url: str | None, token: str | None, as_json: bool) -> int:
    """Have the server read the policy again; with problems in it the one before stays in force."""
    document = connect(url, token).call("POST", "/policy/reload").document
    if as_json:
        emit(document)
        return exits.DONE
    changed = "changed" if document["changed"] else "as before"
    print(f"policy reloaded from {document['file']} ({changed})")
    if document.get("rules_changed"):
        print("the rules for calls in the server's settings changed")
    if document.get("after_restart"):
        note(f"after a restart: {document['after_restart']}, as the settings say now")
    for one in warnings_of(document):
        note(f"warning[{one['code']}]: {one['at']}: {one['message']}")
    violating = document.get("violating")
    for one in violating if isinstance(violating, list) else []:
        codes = ", ".join(dict.fromkeys(error["code"] for error in one["errors"]))
        note(f"{one['name']} does not conform: {codes} ({one['state']})")
    return exits.DONE


@policy.command("explain")
@click.argument("code")
@click.pass_context
def explain(context: click.Context, *, code: str) -> int:
    """Explain the CODE of a rule; the same as `caxton explain`."""
    from caxton_cli.commands.files import explain as explained

    context.invoke(explained, code=code)
    return exits.DONE


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.toml"))
            if not found:
                raise Leave(f"{path} holds no agent files (*.toml)", exit_code=exits.INVALID)
            yield from found
        else:
            yield path


def _judge(path: Path, known: House) -> Judged:
    try:
        check = checked(path)
    except Leave as unreadable:
        return Judged(str(path), None, None, unreadable.message)
    return Judged(check.file, check, known.findings(check))


def _exit_code(judged: Iterable[Judged], *, deny_warnings: bool) -> int:
    verdicts = {one.verdict for one in judged}
    if "invalid" in verdicts:
        return exits.INVALID
    warned = any(one.findings is not None and one.findings.placed for one in judged)
    refused = "refused" in verdicts or (deny_warnings and warned)
    return exits.REFUSED if refused else exits.DONE


def _tell(in_force: "InForce", judged: list[Judged]) -> None:
    from caxton_core.reading.report import human

    for one in judged:
        for report in (one.check and one.check.report, one.findings):
            if report is not None and report.placed:
                tell_problems(human(report))
        if one.unreadable:
            note(f"error: {one.unreadable}")
        if one.verdict == "conforms":
            print(f"{one.file} conforms")
    where = in_force.environment and f", environment {in_force.environment}"
    conforming = sum(one.verdict == "conforms" for one in judged)
    note(f"{conforming} of {len(judged)} conform to the policy {in_force.file}{where or ''}")


def _document(in_force: "InForce", judged: list[Judged]) -> dict[str, object]:
    return {
        "conforms": all(one.verdict == "conforms" for one in judged),
        "policy": {
            "file": in_force.file,
            "environment": in_force.environment,
            "preset": in_force.policy.preset.value,
            "sha256": in_force.digest or None,
        },
        "files": [_verdict(one) for one in judged],
    }


def _verdict(one: Judged) -> dict[str, object]:
    from caxton_core.reading.report import machine

    reports = (one.check and one.check.report, one.findings)
    problems = [each for report in reports if report is not None for each in machine(report)]
    unreadable = {"unreadable": one.unreadable} if one.unreadable else {}
    return {"file": one.file, "verdict": one.verdict, "problems": problems, **unreadable}


def _lines(document: Mapping[str, object], *, sources: bool) -> Iterator[str]:
    from caxton_core.reading.written import toml_value

    environment = document.get("environment")
    yield f"# {document['file']}" + (f", environment {environment}" if environment else "")
    if document.get("sha256"):
        yield f"# SHA-256 {document['sha256']}"
    values, header = document.get("values"), ""
    for each in values if isinstance(values, list) else []:
        table, _, key = str(each["key"]).rpartition(".")
        if table != header:
            header = table
            yield f"\n[{table}]"
        value = each.get("value")
        line = f"# {key} is not set" if value is None else f"{key} = {toml_value(value)}"
        yield f"{line:<{COMMENTS_AT}} # {each['source']}" if sources else line
