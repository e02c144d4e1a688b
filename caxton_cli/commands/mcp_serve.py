"""`caxton mcp serve`: the agents of a running server as tools of another program."""

import click

from caxton_cli import exits
from caxton_cli.client import connect, segment


@click.command()
@click.option("--agent", "agents", multiple=True, help="Offer this agent alone; repeat for more.")
@click.option("--url", envvar="CAXTON_URL", help="The address of the server.")
@click.option("--token", envvar="CAXTON_API_TOKEN", help="The token of the server.")
def serve(*, agents: tuple[str, ...], url: str | None, token: str | None) -> int:
    """Offer agents as tools to a program that speaks MCP, over standard input and output.

    Such a program starts this command by itself: name `caxton`, arguments `mcp serve`. Each agent
    is a tool `ask_AGENT`, which remembers the session; where an agent wants to make a call that a
    person has to allow, the program asks its person.
    """
    import anyio

    caller = connect(url, token)
    caller.call("GET", "/agents")
    for agent in agents:
        caller.call("GET", f"/agents/{segment(agent)}")

    from caxton_cli.agent_tools import serve as serving

    anyio.run(serving, caller, agents)
    return exits.DONE
