"""`caxton tokens ...`: who may ask the server, and for what."""

from collections.abc import Mapping

import click

from caxton_cli import exits
from caxton_cli.client import calls_server, connect, segment
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.printing import columns, emit, note

_MODULE = "caxton_cli.commands.tokens"
_SCOPES = ("read", "message", "agents:write", "approve", "memory:write", "mcp:admin", "admin")

COMMANDS = {
    "create": Entry(f"{_MODULE}:create", "Create a token, and print it this once."),
    "list": Entry(f"{_MODULE}:list_tokens", "List the tokens, without the tokens themselves."),
    "revoke": Entry(f"{_MODULE}:revoke", "Let a token open nothing more."),
}
tokens = LazyGroup("tokens", COMMANDS, help="Look after who may ask, and for what.")


@click.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(_SCOPES),
    help="What it is good for; repeat for several.",
)
@click.option("--expires", metavar="DURATION", help="How long it holds: 12h, 30d.")
@click.option(
    "--messages-per-minute",
    "messages",
    metavar="N",
    type=click.IntRange(0, 1_000_000),
    help="How many messages it may send; 0 is no limit. Else limits.messages_per_minute holds.",
)
@calls_server
def create(  # noqa: PLR0913 - one for each option
    *,
    name: str,
    scopes: tuple[str, ...],
    expires: str | None,
    messages: int | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Create a token called NAME and print it: it is shown nowhere else, and never again.

    Whoever has the scope mcp:admin registers servers of tools, and so can have any program run as
    the user of the server; admin includes it.
    """
    wanted = {
        "name": name,
        "scopes": scopes,
        "expires_in": expires,
        "messages_per_minute": messages,
    }
    made = connect(url, token).call("POST", "/tokens", wanted).document
    if as_json:
        emit(made)
        return exits.DONE
    print(made["token"])
    note("keep it now: the server remembers only what it can be recognised by")
    return exits.DONE


@click.command("list")
@calls_server
def list_tokens(*, url: str | None, token: str | None, as_json: bool) -> int:
    """List the tokens that were given out, the oldest first."""
    document = connect(url, token).call("GET", "/tokens").document
    found = document.get("tokens")
    if as_json:
        emit(document)
    elif isinstance(found, list) and found:
        heads = ("NAME", "SCOPES", "MESSAGES/MIN", "CREATED", "EXPIRES", "LAST USED")
        columns(heads, map(_row, found))
    else:
        note("no token was given out")
    return exits.DONE


@click.command()
@click.argument("name")
@calls_server
def revoke(*, name: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Revoke the token called NAME: whoever shows it is refused from now on."""
    connect(url, token).call("DELETE", f"/tokens/{segment(name)}")
    if as_json:
        emit({"revoked": name})
    else:
        print(f"revoked {name}")
    return exits.DONE


def _row(token: Mapping[str, object]) -> tuple[object, ...]:
    scopes = token["scopes"]
    shown = " ".join(map(str, scopes)) if isinstance(scopes, list) else ""
    expires = f"{token['expires']} (over)" if token["expired"] else token["expires"] or "never"
    rate = _rate(token["messages_per_minute"])
    return token["name"], shown, rate, token["created"], expires, token["used"] or "never"


def _rate(messages: object) -> object:
    """A rate of the token's own; the server's, which may change, is only named."""
    if messages is None:
        return "default"
    return messages or "no limit"
