"""`caxton tools ...`: what agents can be granted, and what of it is approved."""

import json
import sys
from collections.abc import Iterable, Mapping

import click

from caxton_cli import exits
from caxton_cli.client import Caller, calls_server, connect, segment
from caxton_cli.confirming import YES, confirm
from caxton_cli.laying_out import laid_out, present
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.pages import Query, listed
from caxton_cli.printing import columns, emit, is_terminal, note
from caxton_cli.tool_diff import diff_lines
from caxton_cli.unreached import NAMED, TRIED, tell_unreached

PATIENCE = 60.0
_WIDEST = 60
_WAITING = ("changed", "new")
_ALL_OF = ".*"
_MODULE = "caxton_cli.commands.tools"

COMMANDS = {
    "list": Entry(f"{_MODULE}:list_tools", "List the tools that servers offer."),
    "inspect": Entry(f"{_MODULE}:inspect", "Show what a tool does and takes."),
    "call": Entry(f"{_MODULE}:call", "Call a tool by hand."),
    "diff": Entry(f"{_MODULE}:diff", "Show what waits for an approval."),
    "approve": Entry(f"{_MODULE}:approve", "Approve the definitions of tools."),
    "why": Entry("caxton_cli.commands.why:why", "Tell whether a call would be made, and why."),
}
tools = LazyGroup("tools", COMMANDS, help="Look after the tools that agents can be granted.")


@click.command("list")
@click.option("--agent", metavar="NAME", help="What is granted to this agent.")
@click.option("--server", metavar="NAME", help="What this server offers.")
@click.option(
    "--state",
    type=click.Choice(("approved", "new", "changed", "built_in")),
    help="Tools in this state.",
)
@click.option("--limit", type=click.IntRange(1), help="How many at most.")
@calls_server
def list_tools(
    *,
    limit: int | None,
    url: str | None,
    token: str | None,
    as_json: bool,
    **chosen: str | None,
) -> int:
    """List the tools that servers offer; servers are connected with where they were not yet."""
    caller = connect(url, token)
    found = _listed(caller, chosen, limit)
    named = chosen["server"]
    tell_unreached(_servers(caller, named), NAMED if named else TRIED)
    if as_json:
        emit({"tools": found})
    elif found:
        columns(("TOOL", "STATE", "DESCRIPTION"), map(_row, found))
    else:
        note("no tools" if any(chosen.values()) else "no tools; next: caxton mcp add")
    if not as_json:
        tell_waiting(found)
    return exits.DONE


def tell_waiting(tools: Iterable[Mapping[str, object]]) -> None:
    """Say how many of the tools wait for an approval, if any do."""
    waiting = sum(tool["state"] in _WAITING for tool in tools)
    if waiting:
        note(f"{_counted(waiting)} for an approval; see: caxton tools diff")


@click.command()
@click.argument("name")
@calls_server
def inspect(*, name: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Show what the tool of this NAME does and takes."""
    document = _tool(connect(url, token), name)
    if as_json:
        emit(document)
        return exits.DONE
    for fact in ("name", "server", "state", "hash"):
        print(f"{fact:<12}{document[fact]}")
    print(f"\n{_visible(document['description'])}\n")
    print(f"parameters  {_pretty(document['parameters'])}")
    if "returns" in document:
        print(f"returns     {_pretty(document['returns'])}")
    if document["state"] in _WAITING:
        note(f"it waits for an approval; see: caxton tools diff {name}")
    return exits.DONE


@click.command()
@click.argument("name")
@click.argument("pairs", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--args", "written", metavar="JSON", help="The arguments as a JSON object.")
@calls_server
def call(
    *,
    name: str,
    pairs: tuple[str, ...],
    written: str | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Call the tool of this NAME by hand, whatever agents are granted.

    A VALUE is text where the tool takes text, else JSON. `--args -` reads standard input.
    """
    caller = connect(url, token)
    arguments = object_of(written)
    if pairs:
        arguments |= arguments_of(pairs, _tool(caller, name))
    path = f"/tools/{segment(name)}/call"
    answer = caller.call("POST", path, {"arguments": arguments}, timeout=PATIENCE)
    if as_json:
        emit(answer.document)
    else:
        text = str(answer.document["text"])
        print(_visible(text) if is_terminal() else text)
    return exits.DONE


@click.command()
@click.argument("name", required=False)
@calls_server
def diff(*, name: str | None, url: str | None, token: str | None, as_json: bool) -> int:
    """Show how the definition of a tool differs from the approved one; of all without a NAME."""
    caller = connect(url, token)
    names = _waiting(caller) if name is None else [name]
    found = [_tool(caller, each) for each in names]
    if as_json:
        emit({"tools": found})
        return exits.DONE
    for tool in found:
        for line in diff_lines(tool):
            print(laid_out(line, sys.stdout))
    waiting = [_seen(tool) for tool in found if tool["state"] in _WAITING]
    if waiting:
        note(f"agree with: caxton tools approve {' '.join(waiting)}")
    elif not found:
        note("every tool is as it was approved")
    return exits.DONE


@click.command()
@click.argument("names", metavar="NAMES...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every tool that waits for an approval.")
@YES
@calls_server
def approve(
    *,
    names: tuple[str, ...],
    everything: bool,
    yes: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Approve the definitions of these tools as they are now; NAMES may end in `.*`.

    With what `caxton tools diff` prints behind its name, such as files.read@0123456789abcdef, a
    tool is approved only as it was shown there. Several at once are shown first, and nothing that
    changes after that is approved.
    """
    if bool(names) == everything:
        raise click.UsageError("name tools, such as files.read or files.*, or --all of them")
    caller = connect(url, token)
    together = [None] if everything else [name for name in names if name.endswith(_ALL_OF)]
    shown = [_tool(caller, name) for each in together for name in _waiting(caller, each)]
    if shown:
        _agreed(shown, yes=yes)
    meant = [_seen(tool) for tool in shown] if everything else [*names, *map(_seen, shown)]
    approved = _approved(caller, meant) if meant else []
    if as_json:
        emit({"approved": approved})
    elif approved:
        for name in approved:
            print(f"approved {name}")
    else:
        note("nothing to approve: every tool is as it was approved (see: caxton tools diff)")
    return exits.DONE


def _agreed(shown: list[Mapping[str, object]], *, yes: bool) -> None:
    """Show what is about to be approved; leaves unless somebody agrees."""
    present(line for tool in shown for line in diff_lines(tool))
    confirm(f"approve {', '.join(str(tool['name']) for tool in shown)}?", yes=yes)


def _approved(caller: Caller, names: list[str]) -> list[object]:
    """Approve the tools that are named, each as it was seen, now if not before."""
    split = [name.partition("@") for name in names]
    seen = {name: f"sha256:{begins}" for name, _, begins in split if begins}
    for name, digits, _ in split:
        if not (digits or name.endswith(_ALL_OF)):
            seen.setdefault(name, str(_tool(caller, name)["hash"]))
    body = {"tools": [name for name, _, _ in split], "seen": seen}
    found = caller.call("POST", "/tools/approve", body, timeout=PATIENCE).document["approved"]
    return found if isinstance(found, list) else []


def _seen(tool: Mapping[str, object]) -> str:
    """The tool with the first digits of the definition that is shown."""
    return f"{tool['name']}@{str(tool['hash']).removeprefix('sha256:')[:16]}"


def _waiting(caller: Caller, of: str | None = None) -> list[str]:
    """The names of the tools that wait for an approval, by what their servers say now."""
    server = None if of is None else of.removesuffix(_ALL_OF)
    found = _listed(caller, {"fresh": "true", "server": server}, None)
    return [str(tool["name"]) for tool in found if tool["state"] in _WAITING]


def _listed(caller: Caller, query: Query, limit: int | None) -> list[Mapping[str, object]]:
    return list(listed(caller, "/tools", "tools", query, limit, timeout=PATIENCE))


def _servers(caller: Caller, named: str | None) -> list[Mapping[str, object]]:
    """The registered servers, or the one of this name."""
    every = listed(caller, "/mcp/servers", "servers", {}, None)
    return [server for server in every if named in (None, server["name"])]


def _tool(caller: Caller, name: str) -> Mapping[str, object]:
    return caller.call("GET", f"/tools/{segment(name)}", timeout=PATIENCE).document


def _row(tool: Mapping[str, object]) -> tuple[object, ...]:
    text = _visible(" ".join(str(tool["description"]).split()))
    shown = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
    return tool["name"], tool["state"], shown


def _counted(count: int) -> str:
    return "1 tool waits" if count == 1 else f"{count} tools wait"


def _visible(text: object) -> str:
    """What servers say, with nothing in it that commands the terminal."""
    from caxton_core.tools.visible import visible

    return visible(str(text), keep="\n\t")


def _pretty(value: object) -> str:
    return _visible(json.dumps(value, indent=2, ensure_ascii=False))


def object_of(written: str | None) -> dict[str, object]:
    """The arguments as they were written; leaves where they are no JSON object."""
    if written is None:
        return {}
    try:
        found = json.loads(sys.stdin.read() if written == "-" else written)
    except ValueError as error:
        raise click.UsageError(f"--args is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.UsageError('--args is not a JSON object, such as \'{"path": "/a"}\'')
    return found


def arguments_of(pairs: tuple[str, ...], tool: Mapping[str, object]) -> dict[str, object]:
    """The pairs as arguments, each read as the tool takes it."""
    parameters = tool.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    known = properties if isinstance(properties, dict) else {}
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise click.UsageError(f"not KEY=VALUE: {pair}")
        found[name] = _value(value, known.get(name))
    return found


def _value(text: str, schema: object) -> object:
    if isinstance(schema, dict) and schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
