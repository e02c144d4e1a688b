"""`caxton tools why`: what would become of a call, and who says so."""

import json

import click

from caxton_cli import exits
from caxton_cli.client import calls_server, connect, segment
from caxton_cli.printing import emit


@click.command()
@click.argument("agent")
@click.argument("tool")
@click.option("--args", "written", default="{}", metavar="JSON", help="The arguments of the call.")
@calls_server
def why(
    *, agent: str, tool: str, written: str, url: str | None, token: str | None, as_json: bool
) -> int:
    """Tell whether a call of TOOL by AGENT would be made now, and what each level says of it.

    The exit code is 0 where the call is made, perhaps after a person was asked, and 5 where it is
    refused.
    """
    body = {"tool": tool, "arguments": _arguments(written)}
    document = connect(url, token).call("POST", f"/agents/{segment(agent)}/why", body).document
    if as_json:
        emit(document)
    else:
        print(document["summary"])
        lines = document.get("explanation")
        for line in lines if isinstance(lines, list) else []:
            print(f"  {line}")
    return exits.REFUSED if document["effect"] == "deny" else exits.DONE


def _arguments(written: str) -> dict[str, object]:
    try:
        arguments = json.loads(written)
    except ValueError as error:
        raise click.UsageError(f"--args is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise click.UsageError('--args is a JSON object, as {"path": "/srv/docs/a"}')
    return arguments
