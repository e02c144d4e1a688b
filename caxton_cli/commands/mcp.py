"""`caxton mcp ...`: servers of tools, registered, tried, forgotten."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from http.client import BAD_REQUEST, CONFLICT
from pathlib import Path

import click

from caxton_cli import exits
from caxton_cli.client import Answer, Caller, calls_server, connect, refusal, segment
from caxton_cli.commands.tools import tell_waiting
from caxton_cli.confirming import YES, confirm
from caxton_cli.laying_out import present, unpadded
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.leaving import Leave
from caxton_cli.other_clients import registered_target, servers_in
from caxton_cli.pages import listed
from caxton_cli.printing import columns, emit, note
from caxton_cli.trying import tried_here
from caxton_cli.unreached import tell_unreached

PATIENCE = 60.0
_MODULE = "caxton_cli.commands.mcp"
_TAKEN = "CX3030"
_WORD = re.compile(r"[A-Za-z0-9_.+=@:-]*")
"""What no program takes for a path or a command."""

COMMANDS = {
    "add": Entry(f"{_MODULE}:add", "Register a server of tools."),
    "list": Entry(f"{_MODULE}:list_servers", "List the servers of tools."),
    "show": Entry(f"{_MODULE}:show", "Show a server of tools."),
    "test": Entry(f"{_MODULE}:test", "Connect with a server of tools."),
    "remove": Entry(f"{_MODULE}:remove", "Forget a server of tools."),
    "import": Entry(f"{_MODULE}:import_servers", "Register the servers of another program's file."),
    "login": Entry("caxton_cli.commands.mcp_login:login", "Log in to a protected server of tools."),
    "serve": Entry("caxton_cli.commands.mcp_serve:serve", "Offer agents as tools to a program."),
}
mcp = LazyGroup("mcp", COMMANDS, help="Look after the servers of tools (MCP).")

_REPLACE = click.option("--replace", is_flag=True, help="Replace one of the same name.")


@click.command()
@click.argument("name")
@click.argument("command", nargs=-1)
@click.option("--url", "address", help="The address of a server that answers over HTTP.")
@click.option(
    "--header", "headers", metavar="KEY=VALUE", multiple=True, help="A header; repeat for more."
)
@click.option(
    "--env",
    "variables",
    metavar="KEY[=VALUE]",
    multiple=True,
    help="A variable of the command, by itself as it is here; repeat for more.",
)
@click.option("--private-network", is_flag=True, help="The address may lie in a private network.")
@click.option("--cwd", help="The directory in which the command runs.")
@click.option("--timeout", metavar="TIME", help='How long a call may take, such as "30s".')
@_REPLACE
@click.option("--server", "url", envvar="CAXTON_URL", help="The address of Caxton's server.")
@click.option("--token", envvar="CAXTON_API_TOKEN", help="The token of the server.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def add(
    *,
    name: str,
    command: tuple[str, ...],
    replace: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
    **given: object,
) -> int:
    """Register the server of tools NAME: a COMMAND that Caxton runs, or --url.

    What follows `--` is the command, such as: caxton mcp add clock -- mcp-server-time
    """
    table = _table(command, given)
    if not table.keys() & {"command", "url"}:
        raise click.UsageError("give a command after `--`, or an address with --url")
    document = _register(connect(url, token), name, table, replace=replace)
    if as_json:
        emit(document)
    else:
        print(f"registered {name}: {document['target']}")
        note(f"next: caxton mcp test {name}")
    return exits.DONE


@click.command("list")
@calls_server
def list_servers(*, url: str | None, token: str | None, as_json: bool) -> int:
    """List the servers of tools, and how their connections do."""
    found = list(listed(connect(url, token), "/mcp/servers", "servers", {}, None))
    if as_json:
        emit({"servers": found})
    elif found:
        columns(("SERVER", "STATE", "TOOLS", "FROM", "TARGET"), map(_row, found))
        tell_unreached(found)
    else:
        note("no server of tools is registered; next: caxton mcp add NAME -- COMMAND")
    return exits.DONE


@click.command()
@click.argument("name")
@calls_server
def show(*, name: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Show the server of tools of this NAME; its secrets are never shown."""
    document = connect(url, token).call("GET", f"/mcp/servers/{segment(name)}").document
    if as_json:
        emit(document)
    else:
        _tell(document)
    return exits.DONE


@click.command()
@click.argument("name")
@calls_server
def test(*, name: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Connect with the server of tools of this NAME, and list its tools.

    Where no server of Caxton runs on this machine, the command does it by itself for one of the
    settings.
    """
    caller, path = connect(url, token), f"/mcp/servers/{segment(name)}/test"
    here = False
    try:
        document = caller.call("POST", path, timeout=PATIENCE).document
    except Leave as nobody:
        if url is not None or nobody.exit_code != exits.NOT_RUNNING:
            raise
        document, here = tried_here(name, nobody), True
    if as_json:
        emit(document)
        return exits.DONE
    _tell(document)
    if here:
        note("no server runs, so it was tried from here; next: caxton server start")
    else:
        note(f"its tools: caxton tools list --server {name}")
        tell_waiting(listed(caller, "/tools", "tools", {"server": name}, None))
    return exits.DONE


@click.command()
@click.argument("name")
@YES
@calls_server
def remove(*, name: str, yes: bool, url: str | None, token: str | None, as_json: bool) -> int:
    """Forget the server of tools of this NAME, and delete its own directory.

    What was approved of it stays approved.
    """
    caller, path = connect(url, token), f"/mcp/servers/{segment(name)}"
    if caller.call("GET", path).document.get("origin") == "api":
        confirm(f"forget the server of tools {name}, and delete its own directory?", yes=yes)
    caller.call("DELETE", path)
    if as_json:
        emit({"removed": name})
    else:
        print(f"removed {name}")
    return exits.DONE


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would be registered, and do nothing.")
@_REPLACE
@YES
@calls_server
def import_servers(
    *,
    file: Path,
    replace: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
    **chosen: bool,
) -> int:
    """Register the servers of a FILE of another program.

    It reads `mcpServers` of Claude Desktop, Claude Code and Cursor, and `servers` of VS Code. The
    commands are shown before anything is registered, for they will be run: whole, also where a key
    stands in them. Of headers, and of variables with a secret, the length is told.
    """
    found = servers_in(file)
    if not as_json:
        _announce(found)
    if chosen["dry_run"]:
        if as_json:
            emit({"servers": [_shown(name, table) for name, table in found.items()]})
        return exits.DONE
    confirm(f"register {', '.join(found)}?", yes=chosen["yes"])
    caller = connect(url, token)
    outcomes = [_import(caller, name, table, replace=replace) for name, table in found.items()]
    if as_json:
        emit({"servers": outcomes})
    else:
        for one in outcomes:
            print(f"{one['outcome']} {one['name']}")
            if one["outcome"] == "differs":
                note(f"{one['name']} was not taken: {one['why']}")
    failed = any(one["outcome"] in ("refused", "differs") for one in outcomes)
    return exits.FAILED if failed else exits.DONE


def _announce(found: Mapping[str, Mapping[str, object]]) -> None:
    """Say what would be run, and with what, before it may be: all of it, as it is written."""
    present(line for name, table in found.items() for line in _lines(name, table))


def _lines(name: str, table: Mapping[str, object]) -> Iterator[str]:
    yield f"{name}: {unpadded(_target(table))}"
    yield from (f"{' ' * len(name)}  {unpadded(each)}" for each in _with(table))


def _shown(name: str, table: Mapping[str, object]) -> dict[str, object]:
    return {"name": name, "target": _target(table), "with": list(_with(table))}


def _target(table: Mapping[str, object]) -> str:
    """The command as a shell would take it, or the address.

    Nothing is hidden in it: what looks like a secret may as well be what the command does.
    """
    if "url" in table:
        return _plain(table["url"])
    args = table.get("args")
    words = [table.get("command"), *(args if isinstance(args, list) else [])]
    return _plain(shlex.join(map(str, words)))


def _with(table: Mapping[str, object]) -> Iterator[str]:
    """What a server is given beside its command or address."""
    from caxton_adapters.mcp.registration import names_secret

    if "cwd" in table:
        yield f"in {_plain(table['cwd'])}"
    for key, kind in (("env", "with"), ("headers", "with the header")):
        values = table.get(key)
        for name, value in values.items() if isinstance(values, dict) else ():
            text = str(value)
            hidden = key == "headers" or (names_secret(str(name)) and _WORD.fullmatch(text))
            shown = f" (hidden, {len(text):,} characters)" if hidden else f"={shlex.quote(text)}"
            yield f"{kind} {_plain(f'{name}{shown}')}"


def _import(
    caller: Caller, name: str, table: Mapping[str, object], *, replace: bool
) -> dict[str, object]:
    """What became of one server of the file."""
    answer = _asked(caller, name, table, replace=replace)
    if answer.status == CONFLICT:
        return _known(caller, name, table)
    if answer.status >= BAD_REQUEST:
        refusal(answer).show()
        return {"name": name, "outcome": "refused", "why": answer.document.get("detail")}
    return {"name": name, "outcome": "registered"}


def _known(caller: Caller, name: str, table: Mapping[str, object]) -> dict[str, object]:
    """Whether what is registered is what the file has, as far as it is told."""
    there = caller.call("GET", f"/mcp/servers/{segment(name)}").document
    env, headers = table.get("env"), table.get("headers")
    here = {
        "target": registered_target(table),
        "cwd": table.get("cwd", ""),
        "env": sorted(env) if isinstance(env, dict) else [],
        "headers": sorted(headers) if isinstance(headers, dict) else [],
    }
    other = [key for key, value in here.items() if _comparable(there.get(key)) != (value or "")]
    if not other:
        return {"name": name, "outcome": "known"}
    shown = _plain(there.get("target"))
    why = f"`{shown}` is registered, with another {', '.join(other)}; replace it with --replace"
    return {"name": name, "outcome": "differs", "why": why}


def _comparable(value: object) -> object:
    return (sorted(map(str, value)) if isinstance(value, list) else value) or ""


def _register(
    caller: Caller, name: str, table: Mapping[str, object], *, replace: bool
) -> Mapping[str, object]:
    answer = _asked(caller, name, table, replace=replace)
    if answer.status == CONFLICT and answer.document.get("code") == _TAKEN:
        raise Leave(
            f"a server of tools called {name} is registered",
            code=_TAKEN,
            hint="replace it with --replace",
        )
    if answer.status >= BAD_REQUEST:
        raise refusal(answer)
    return answer.document


def _asked(caller: Caller, name: str, table: Mapping[str, object], *, replace: bool) -> Answer:
    if replace:
        return caller.ask("PUT", f"/mcp/servers/{segment(name)}", table)
    return caller.ask("POST", "/mcp/servers", {"name": name, **table})


def _table(command: tuple[str, ...], given: Mapping[str, object]) -> dict[str, object]:
    """The registration, as the settings would have it."""
    table: dict[str, object] = {
        "command": command[0] if command else None,
        "args": list(command[1:]),
        "url": given["address"],
        "headers": _pairs("--header", given["headers"], {}),
        "env": _pairs("--env", given["variables"], os.environ),
        "private_network": given["private_network"],
        "cwd": given["cwd"],
        "timeout": given["timeout"],
    }
    return {name: value for name, value in table.items() if value}


def _pairs(option: str, written: object, here: Mapping[str, str]) -> dict[str, str]:
    """KEY=VALUE by KEY; a KEY alone has the value that it has here."""
    found: dict[str, str] = {}
    for pair in written if isinstance(written, tuple) else ():
        name, equals, value = pair.partition("=")
        if not name or not (equals or name in here):
            raise click.UsageError(f"{option} takes KEY=VALUE: {name} has no value")
        found[name] = value if equals else here[name]
    return found


def _row(server: Mapping[str, object]) -> tuple[object, ...]:
    count = server.get("tools")
    return (
        server["name"],
        server["state"],
        "" if count is None else count,
        server["origin"],
        _plain(server["target"]),
    )


def _tell(server: Mapping[str, object]) -> None:
    for name, value in server.items():
        if value not in (None, "") and not isinstance(value, Mapping):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            print(f"{name:<10} {_plain(shown)}")


def _plain(value: object) -> str:
    """What others say, with nothing in it that commands the terminal."""
    from caxton_core.tools.visible import visible

    return visible(str(value))
