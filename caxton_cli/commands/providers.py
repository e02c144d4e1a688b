"""`caxton providers`."""

from collections.abc import Mapping

import click

from caxton_cli import exits
from caxton_cli.client import calls_server, connect
from caxton_cli.printing import columns, emit, note

TIMEOUT = 60.0
NONE_CONFIGURED = """\
no provider is configured; the quickest ways to one:
  export OPENAI_API_KEY=...                           OpenAI
  export OPENAI_BASE_URL=http://127.0.0.1:11434/v1    whatever speaks its API
  [providers.here] kind = "local"                     a model inside the server
  [providers.play] kind = "scripted"                  answers from a file
then restart the server"""


@click.command()
@calls_server
def providers(*, url: str | None, token: str | None, as_json: bool) -> int:
    """List the model providers of the server, and whether they answer."""
    document = connect(url, token).call("GET", "/providers", timeout=TIMEOUT).document
    found = document.get("providers")
    if as_json:
        emit(document)
    elif isinstance(found, list) and found:
        columns(("NAME", "KIND", "DEFAULT", "HEALTH", "MODEL"), [_row(one) for one in found])
    else:
        note(NONE_CONFIGURED)
    return exits.DONE


def _row(one: Mapping[str, object]) -> tuple[object, ...]:
    problem = one.get("problem")
    trouble = problem.get("detail") if isinstance(problem, dict) else "failing"
    health = "ok" if one.get("healthy") else trouble
    return (
        one["name"],
        one["kind"],
        "yes" if one.get("default") else "",
        health,
        one.get("model") or "",
    )
