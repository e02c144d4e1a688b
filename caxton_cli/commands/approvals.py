"""`caxton approvals ...`: calls of tools that wait for a person."""

import json
import sys
from collections.abc import Iterator, Mapping

import click

from caxton_cli import exits
from caxton_cli.client import calls_server, connect, segment
from caxton_cli.laying_out import laid_out, unpadded
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.pages import listed
from caxton_cli.printing import columns, emit, note

_MODULE = "caxton_cli.commands.approvals"
_WIDEST = 60

COMMANDS = {
    "list": Entry(f"{_MODULE}:list_approvals", "List the calls that wait for a person."),
    "show": Entry(f"{_MODULE}:show", "Show a call that waits, or what was said of it."),
    "approve": Entry(f"{_MODULE}:approve", "Have calls made."),
    "deny": Entry(f"{_MODULE}:deny", "Have calls refused."),
}
approvals = LazyGroup("approvals", COMMANDS, help="Answer for calls that wait for a person.")


@click.command("list")
@click.option("--message", metavar="ID", help="Calls in the turn of this message.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@calls_server
def list_approvals(
    *, message: str | None, limit: int, url: str | None, token: str | None, as_json: bool
) -> int:
    """List the calls that wait for a person, what was asked first first."""
    caller = connect(url, token)
    found = list(listed(caller, "/approvals", "approvals", {"message": message}, limit))
    if as_json:
        emit({"approvals": found})
    elif found:
        columns(("APPROVAL", "AGENT", "TOOL", "ARGUMENTS", "EXPIRES"), map(_row, found))
        note("all of a call, before you answer: caxton approvals show APPROVAL")
    else:
        note("no call waits for a person")
    return exits.DONE


@click.command()
@click.argument("approval")
@calls_server
def show(*, approval: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Show an APPROVAL: the whole call, and what was said of it."""
    document = connect(url, token).call("GET", f"/approvals/{segment(approval)}").document
    if as_json:
        emit(document)
        return exits.DONE
    for line in _lines(document):
        print(laid_out(line, sys.stdout))
    if document.get("status") == "waiting":
        note(f"answer with: caxton approvals approve {approval}, or deny")
    return exits.DONE


@click.command()
@click.argument("approval", nargs=-1, required=True)
@calls_server
def approve(*, approval: tuple[str, ...], url: str | None, token: str | None, as_json: bool) -> int:
    """Have the calls of these APPROVALs made; each agent's turn goes on at once."""
    return _answer(approval, {"decision": "approve"}, url, token, as_json=as_json)


@click.command()
@click.argument("approval", nargs=-1, required=True)
@click.option("--reason", default="", metavar="TEXT", help="Why; the model is told.")
@calls_server
def deny(
    *, approval: tuple[str, ...], reason: str, url: str | None, token: str | None, as_json: bool
) -> int:
    """Have the calls of these APPROVALs refused; each agent's turn goes on without them."""
    body = {"decision": "deny", "reason": reason}
    return _answer(approval, body, url, token, as_json=as_json)


def _answer(
    ids: tuple[str, ...],
    body: Mapping[str, str],
    url: str | None,
    token: str | None,
    *,
    as_json: bool,
) -> int:
    caller = connect(url, token)
    said = [caller.call("POST", f"/approvals/{segment(id_)}", body).document for id_ in ids]
    if as_json:
        emit({"approvals": said})
        return exits.DONE
    for each in said:
        print(f"{each['id']} is {each['status']}: {each['tool']} for {each['agent']}")
    return exits.DONE


def _lines(document: Mapping[str, object]) -> Iterator[str]:
    """All of an approval; what was asked about stands last."""
    from caxton_core.tools.visible import visible

    for name in ("id", "status", "agent", "message_id", "tool", "asked", "expires", "by", "reason"):
        if document.get(name):
            yield f"{name.replace('_', ' '):<12} {visible(str(document[name]))}"
    yield f"{'rules':<12} {', '.join(_texts(document.get('rules')))}"
    arguments = json.dumps(document.get("arguments"), ensure_ascii=False, indent=2)
    yield from visible(arguments, keep="\n").split("\n")


def _row(one: Mapping[str, object]) -> tuple[object, ...]:
    from caxton_core.tools.visible import visible

    arguments = unpadded(visible(json.dumps(one.get("arguments"), ensure_ascii=False)))
    cut = len(arguments) > _WIDEST
    shown = f"{arguments[:_WIDEST]}… ({len(arguments):,} characters)" if cut else arguments
    return one["id"], one["agent"], one["tool"], shown, one["expires"]


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
