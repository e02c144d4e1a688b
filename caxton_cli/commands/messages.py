"""`caxton messages ...`: what became of messages, and trying those again that failed."""

import json
from collections.abc import Mapping

import click

from caxton_cli import exits
from caxton_cli.client import calls_server, connect, segment
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.pages import listed
from caxton_cli.printing import columns, emit, note

_MODULE = "caxton_cli.commands.messages"
_STATES = ("accepted", "running", "answered", "failed", "cancelled", "dead_lettered")
_WIDEST = 50

COMMANDS = {
    "list": Entry(f"{_MODULE}:list_messages", "List messages, the newest first."),
    "show": Entry(f"{_MODULE}:show", "Show a message and what became of it."),
    "cancel": Entry(f"{_MODULE}:cancel", "Cancel a message."),
    "retry": Entry(f"{_MODULE}:retry", "Let a message that failed go on."),
}
messages = LazyGroup("messages", COMMANDS, help="Look after messages.")


@click.command("list")
@click.option("--agent", metavar="NAME", help="Messages to this agent.")
@click.option("--conversation", metavar="ID", help="Messages of this conversation.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(_STATES), help="Repeat for several."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@calls_server
def list_messages(  # noqa: PLR0913 - one parameter for each option
    *,
    agent: str | None,
    conversation: str | None,
    states: tuple[str, ...],
    limit: int,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """List messages, the newest first."""
    wanted = {"agent": agent, "conversation": conversation, "state": list(states)}
    found = list(listed(connect(url, token), "/messages", "messages", wanted, limit))
    if as_json:
        emit({"messages": found})
    elif found:
        columns(("MESSAGE", "AGENT", "STATE", "ACCEPTED", "TEXT"), map(_row, found))
    else:
        note("no such messages")
    return exits.DONE


@click.command()
@click.argument("message")
@calls_server
def show(*, message: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Show a MESSAGE: what was asked, and the answer or why there is none."""
    document = connect(url, token).call("GET", f"/messages/{segment(message)}").document
    _print(document, as_json=as_json)
    return exits.DONE


@click.command()
@click.argument("message")
@calls_server
def cancel(*, message: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Cancel a MESSAGE; one that has ended stays as it is."""
    document = connect(url, token).call("DELETE", f"/messages/{segment(message)}").document
    if as_json:
        emit(document)
    else:
        print(f"{message} is {document['status']}")
    return exits.DONE


@click.command()
@click.argument("message")
@click.option(
    "--result", "results", multiple=True, metavar="CALL=TEXT", help="What came of a call."
)
@click.option("--failed", "failures", multiple=True, metavar="CALL=WHY", help="Why a call failed.")
@calls_server
def retry(
    *,
    message: str,
    results: tuple[str, ...],
    failures: tuple[str, ...],
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Let a MESSAGE that failed or was cancelled go on from its last recorded step.

    Tool calls of which nobody knows whether they were made are made again, unless --result or
    --failed tells what came of them; `caxton messages show` names them.
    """
    told: dict[str, object] = dict(map(_parted, results))
    told |= {call: {"failed": why} for call, why in map(_parted, failures)}
    path = f"/messages/{segment(message)}/retry"
    document = connect(url, token).call("POST", path, {"results": told}).document
    if as_json:
        emit(document)
    else:
        print(f"{message} goes on")
        note(f"next: caxton messages show {message}")
    return exits.DONE


def _parted(option: str) -> tuple[str, str]:
    call, equals, text = option.partition("=")
    if not equals or not call:
        raise click.UsageError(f"a result is written CALL=TEXT, not {option}")
    return call, text


def _row(message: Mapping[str, object]) -> tuple[object, ...]:
    text = " ".join(str(message.get("text", "")).split())
    shown = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
    return (
        message["message_id"],
        message["agent"],
        message["status"],
        message["accepted"],
        shown,
    )


def _print(document: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        emit(document)
        return
    for name in ("message_id", "conversation_id", "agent", "status", "accepted", "text"):
        if document.get(name):
            print(f"{name.replace('_', ' '):<15} {document[name]}")
    answer, problem = document.get("answer"), document.get("problem")
    if isinstance(answer, dict):
        print(f"{'answer':<15} {answer['text']}")
    if isinstance(problem, dict):
        print(f"{'problem':<15} {problem['code']}: {problem['detail']}")
    asked = document.get("approvals")
    for each in asked if isinstance(asked, list) else []:
        print(f"{'approval':<15} {each['id']}: {each['tool']} {_written(each['arguments'])}")
        note(f"waits for a person: caxton approvals show {each['id']}")
    calls = document.get("unknown_calls")
    for call in calls if isinstance(calls, list) else []:
        shown = _written(call["arguments"])
        print(f"{'unknown call':<15} {call['id']}: {call['name']} {shown}")


def _written(arguments: object) -> str:
    """All of the arguments, with nothing in them that a person does not see."""
    from caxton_core.tools.visible import visible

    return visible(json.dumps(arguments, ensure_ascii=False))
