"""`caxton health`: a probe for Docker, systemd and people, told by its exit code."""

from collections.abc import Mapping

import click

from caxton_cli import exits
from caxton_cli.client import Answer, calls_server, connect, refusal
from caxton_cli.durations import SECONDS
from caxton_cli.leaving import Leave
from caxton_cli.printing import columns, emit
from caxton_cli.status import CONDITIONS, READY

TIMEOUT = 5.0
_WHOLE = "/health"


@click.command()
@click.option("--ready", "path", flag_value="/health/ready", help="Does it take new work?")
@click.option("--live", "path", flag_value="/health/live", help="Does its event loop run?")
@click.option("--startup", "path", flag_value="/health/startup", help="Is its start over?")
@click.option(
    "--timeout",
    type=SECONDS,
    metavar="SECONDS",
    default=TIMEOUT,
    show_default=True,
    help="How long to wait.",
)
@calls_server
def health(
    *, path: str | None, timeout: float, url: str | None, token: str | None, as_json: bool
) -> int:
    """Show how the server does, part by part, or answer one question of a probe.

    Exit code 0: well, or degraded, which takes new work too; 1: not; 3: nobody answers.
    """
    caller = connect(url, token)
    answer = caller.ask("GET", path or _WHOLE, timeout=timeout)
    condition = _condition(answer, caller.url)
    if as_json:
        emit(answer.document)
    else:
        _show(condition, answer.document)
    return exits.DONE if condition in READY else exits.FAILED


def _condition(answer: Answer, url: str) -> str:
    condition = answer.document.get("status")
    if isinstance(condition, str) and condition in CONDITIONS:
        return condition
    if "code" in answer.document:
        raise refusal(answer)
    raise Leave(f"what answers at {url} is not Caxton", exit_code=exits.NOT_RUNNING)


def _show(condition: str, document: Mapping[str, object]) -> None:
    print(condition)
    parts, reasons = document.get("components"), document.get("reasons")
    if isinstance(parts, list) and parts:
        columns(("PART", "STATUS", "SINCE", "REASON"), [_row(part) for part in parts])
    elif isinstance(reasons, list):
        for reason in reasons:
            print(f"  {reason}")


def _row(part: Mapping[str, object]) -> tuple[object, ...]:
    return part["name"], part["status"], part["since"], part.get("reason", "")
