"""`caxton tools why`: what would become of a call, and who says so."""

from http.client import OK

import click

from caxton_cli import exits
from caxton_cli.client import Caller, calls_server, connect, segment
from caxton_cli.commands.tools import PATIENCE, arguments_of, object_of
from caxton_cli.printing import emit


@click.command()
@click.argument("agent")
@click.argument("tool")
@click.argument("pairs", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--args", "written", metavar="JSON", help="The arguments as a JSON object.")
@calls_server
def why(  # noqa: PLR0913 - one parameter for each option
    *,
    agent: str,
    tool: str,
    pairs: tuple[str, ...],
    written: str | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Tell whether a call of TOOL by AGENT would be made now, and what each level says of it.

    A VALUE is text where the tool takes text, else JSON. `--args -` reads standard input.
    The exit code is 0 where the call is made, perhaps after a person was asked, and 5 where it is
    refused.
    """
    caller = connect(url, token)
    arguments = object_of(written)
    if pairs:
        arguments |= arguments_of(pairs, _known(caller, tool))
    body = {"tool": tool, "arguments": arguments}
    document = caller.call("POST", f"/agents/{segment(agent)}/why", body, timeout=PATIENCE).document
    if as_json:
        emit(document)
    else:
        print(document["summary"])
        lines = document.get("explanation")
        for line in lines if isinstance(lines, list) else []:
            print(f"  {line}")
    return exits.REFUSED if document["effect"] == "deny" else exits.DONE


def _known(caller: Caller, tool: str) -> dict[str, object]:
    """What is known of the tool; nothing where nobody offers it."""
    answer = caller.ask("GET", f"/tools/{segment(tool)}", timeout=PATIENCE)
    return answer.document if answer.status == OK else {}
