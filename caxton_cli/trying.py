"""A server of tools tried by the command itself, where no server runs that could do it."""

from caxton_cli.client import refusal_of
from caxton_cli.configured import refused, settings_or_leave
from caxton_cli.leaving import Leave


def tried_here(name: str, nobody: Leave) -> dict[str, object]:
    """What the server would say of a test; `nobody` ends a command that only the server can do."""
    from returns.result import Failure

    from caxton_core.primitives import ServerName

    settings, named = settings_or_leave(None, {}), ServerName.parse(name)
    if isinstance(named, Failure) or named.unwrap() not in settings.tool_servers:
        raise nobody
    import anyio
    from msgspec import json

    from caxton_adapters.clock import SystemClock
    from caxton_adapters.mcp.trial import tried
    from caxton_adapters.process import lock
    from caxton_adapters.process.private import make_directory
    from caxton_adapters.process.refusals import in_words
    from caxton_adapters.rest.tool_refusals import of_servers
    from caxton_adapters.rest.tools_wire import server_body

    directory, server = settings.server.data_dir, named.unwrap()
    claimed = make_directory(directory).bind(lock.take)
    if isinstance(claimed, Failure):
        raise refused(in_words(claimed.failure()))
    try:
        outcome = anyio.run(tried, server, settings.tool_servers[server], directory, SystemClock())
    finally:
        claimed.unwrap().release()
    if isinstance(outcome, Failure):
        why = of_servers(outcome.failure())
        raise refusal_of({"detail": why.detail, "code": why.code}, why.status)
    found: dict[str, object] = json.decode(json.encode(server_body(outcome.unwrap())))
    return found
