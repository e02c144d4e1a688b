"""`caxton conversations ...`: what was said, shown, exported, begun anew, deleted."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import BAD_REQUEST, CONFLICT
from pathlib import Path
from typing import TextIO, TypeVar

import click

from caxton_cli import exits
from caxton_cli.client import calls_server, connect, refusal, refusal_of, segment
from caxton_cli.confirming import YES, confirm
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.leaving import Leave
from caxton_cli.pages import listed, query_of
from caxton_cli.printing import columns, emit, note

Command = TypeVar("Command", bound=Callable[..., object])

_MODULE = "caxton_cli.commands.conversations"
_BUSY = "CX4036"

COMMANDS = {
    "list": Entry(f"{_MODULE}:list_conversations", "List conversations, the one used last first."),
    "show": Entry(f"{_MODULE}:show", "Show what was said."),
    "export": Entry(f"{_MODULE}:export", "Print every message as a line of JSON."),
    "reset": Entry(f"{_MODULE}:reset", "Let a conversation begin anew."),
    "delete": Entry(f"{_MODULE}:delete", "Delete a conversation and its messages."),
}
conversations = LazyGroup("conversations", COMMANDS, help="Look after what was said.")


def _meant(command: Command) -> Command:
    """Give a command the options that say which conversation of an id is meant."""
    for option in (
        click.option("--shared", is_flag=True, help="The one that agents share."),
        click.option("--agent", metavar="NAME", help="The one of this agent."),
    ):
        command = option(command)
    return command


@click.command("list")
@click.option("--agent", metavar="NAME", help="Those of this agent alone.")
@click.option("--limit", type=click.IntRange(1), help="How many at most.")
@calls_server
def list_conversations(
    *, agent: str | None, limit: int | None, url: str | None, token: str | None, as_json: bool
) -> int:
    """List conversations, the one used last first."""
    caller = connect(url, token)
    found = list(listed(caller, "/conversations", "conversations", {"agent": agent}, limit))
    if as_json:
        emit({"conversations": found})
    elif found:
        columns(("CONVERSATION", "AGENT", "MESSAGES", "LAST USED"), map(_row, found))
    else:
        note("no conversations yet; next: caxton chat AGENT")
    return exits.DONE


@click.command()
@click.argument("conversation")
@_meant
@click.option("--limit", type=click.IntRange(1), help="How many messages at most.")
@calls_server
def show(  # noqa: PLR0913 - one parameter for each option
    *,
    conversation: str,
    agent: str | None,
    shared: bool,
    limit: int | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Show what was said in a CONVERSATION, oldest first."""
    caller, whose = connect(url, token), _whose(agent, shared=shared)
    path = f"/conversations/{segment(conversation)}"
    facts = caller.call("GET", path + query_of({**whose, "limit": "1"})).document
    messages = list(listed(caller, path, "messages", whose, limit))
    if as_json:
        facts.pop("next", None)
        emit({**facts, "messages": messages})
        return exits.DONE
    if facts["summary"]:
        print(f"summary> {facts['summary']}")
    for message in messages:
        print(f"you> {message.get('text', '(erased)')}")
        print(f"{message['agent']}> {_answered(message)}")
    return exits.DONE


@click.command()
@click.argument("conversation")
@_meant
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write into this file.")
@click.option("--token", envvar="CAXTON_API_TOKEN", help="The token of the server.")
@click.option("--url", envvar="CAXTON_URL", help="The address of the server.")
def export(
    *,
    conversation: str,
    agent: str | None,
    shared: bool,
    output: Path | None,
    url: str | None,
    token: str | None,
) -> int:
    """Print every message of a CONVERSATION as a line of JSON, with tool calls and results."""
    path = f"/conversations/{segment(conversation)}/export"
    query = query_of(_whose(agent, shared=shared))
    with connect(url, token).lines("GET", path + query) as lines, _opened(output) as out:
        for line in lines:
            if line.startswith('{"type":"/problems/'):
                raise refusal_of(_document(line))
            print(line, file=out)
    return exits.DONE


@click.command()
@click.argument("conversation")
@_meant
@calls_server
def reset(
    *,
    conversation: str,
    agent: str | None,
    shared: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Let a CONVERSATION begin anew: the agent forgets what was said, which stays readable."""
    path = f"/conversations/{segment(conversation)}/reset"
    query = query_of(_whose(agent, shared=shared))
    document = connect(url, token).call("POST", path + query).document
    if as_json:
        emit(document)
    else:
        print(f"{document['conversation_id']} begins anew")
    return exits.DONE


@click.command()
@click.argument("conversation")
@_meant
@click.option("--force", is_flag=True, help="Cancel messages that are at work.")
@YES
@calls_server
def delete(  # noqa: PLR0913 - one parameter for each option
    *,
    conversation: str,
    agent: str | None,
    shared: bool,
    force: bool,
    yes: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Delete a CONVERSATION and its messages; nothing of them is left."""
    query = query_of({**_whose(agent, shared=shared), "force": "true" if force else None})
    confirm(f"delete {conversation}?", yes=yes)
    path = f"/conversations/{segment(conversation)}"
    answer = connect(url, token).ask("DELETE", path + query)
    if answer.status == CONFLICT and answer.document.get("code") == _BUSY:
        end = refusal(answer)
        named = f"{conversation}{_flags(agent, shared=shared)}"
        end.hint = f"cancel them: caxton conversations delete {named} --force"
        raise end
    if answer.status >= BAD_REQUEST:
        raise refusal(answer)
    if as_json:
        emit({"deleted": conversation})
    else:
        print(f"deleted {conversation}")
    return exits.DONE


def _whose(agent: str | None, *, shared: bool) -> dict[str, str | list[str] | None]:
    if shared and agent is not None:
        raise click.UsageError("name one conversation: --agent NAME or --shared")
    return {"agent": agent, "shared": "true" if shared else None}


def _flags(agent: str | None, *, shared: bool) -> str:
    return " --shared" if shared else f" --agent {agent}" if agent else ""


def _row(conversation: Mapping[str, object]) -> tuple[object, ...]:
    return (
        conversation["conversation_id"],
        conversation["agent"] or "(shared)",
        conversation["message_count"],
        conversation["last_used"],
    )


def _answered(message: Mapping[str, object]) -> object:
    """What the agent answered, or why not."""
    answer, problem = message.get("answer"), message.get("problem")
    if isinstance(answer, dict):
        return answer["text"] if "text" in message else "(erased)"
    if isinstance(problem, dict):
        return f"({message['status']}: {problem['detail']})"
    return f"({message['status']})"


def _document(line: str) -> Mapping[str, object]:
    document: Mapping[str, object] = json.loads(line)
    return document


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise Leave(f"{path} cannot be written: {error.strerror}") from error
