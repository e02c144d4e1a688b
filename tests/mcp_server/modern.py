"""A server of the protocol's own library, which speaks its newest wire."""

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("modern")


@server.tool()
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool()
async def grow(context: Context) -> str:
    """Offer one tool more."""
    server.add_tool(echo, name="echo_again", description="Say it once more.")
    await context.notify_tools_changed()
    return "grown"


@server.tool()
async def say(context: Context) -> str:
    """Log something."""
    await context.warning(  # type: ignore[deprecated] # servers still do it
        "a \x1b[31mred\x1b[0m word"
    )
    return "said"


if __name__ == "__main__":
    server.run()
