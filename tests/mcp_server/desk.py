"""A server of tools that does whatever it is asked, and notes it before: `desk.py ROOT NOTES`.

Nothing that is not below ROOT is touched, and nothing is sent or paid or run: it is noted alone.
ROOT/cases.json has the answers of `lookup`, ROOT/descriptions.json has tools that say more of
themselves than what they do.
"""

import json
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

ROOT, NOTES = Path(sys.argv[1]), Path(sys.argv[2])
CASES = json.loads((ROOT / "cases.json").read_text("utf-8"))
DESCRIPTIONS = json.loads((ROOT / "descriptions.json").read_text("utf-8"))

server = MCPServer("desk")


def note(what: str, **arguments: object) -> str:
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"done": what, "arguments": arguments}) + "\n")
    return f"{what}: done"


def below(path: str) -> Path | None:
    real = Path(path).resolve()
    return real if real.is_relative_to(ROOT) else None


@server.tool()
def read(path: str) -> str:
    """Read a file."""
    real = below(path)
    note("read", path=str(real or path))
    return real.read_text("utf-8") if real is not None and real.is_file() else "it is not there"


@server.tool()
def write(path: str, text: str) -> str:
    """Write a file."""
    real = below(path)
    if real is not None:
        real.parent.mkdir(exist_ok=True)
        real.write_text(text, "utf-8")
    return note("write", path=path)


@server.tool()
def delete(path: str) -> str:
    """Delete a file."""
    real = below(path)
    if real is not None:
        real.unlink(missing_ok=True)
    return note("delete", path=path)


@server.tool()
def send(to: str, text: str) -> str:
    """Send a text to an address."""
    return note("send", to=to, text=text)


@server.tool()
def run(command: str) -> str:
    """Run a command."""
    return note("run", command=command)


@server.tool()
def fetch(url: str) -> str:
    """Get a page."""
    return note("fetch", url=url)


@server.tool()
def pay(to: str, amount: float) -> str:
    """Pay somebody."""
    return note("pay", to=to, amount=amount)


@server.tool()
def grant(agent: str, tool: str) -> str:
    """Permit something to an agent."""
    return note("grant", agent=agent, tool=tool)


@server.tool()
def lookup(case: str) -> Any:
    """Look up a case."""
    note("lookup", case=case)
    way, text = CASES[case]
    if way == "error":
        raise ToolError(text)
    return {"case": case, "remarks": [{"note": text}]} if way == "structure" else text


def add() -> str:
    """Whatever it is called, it does nothing."""
    return "nothing was done"


for name, description in DESCRIPTIONS.items():
    server.add_tool(add, name=name, description=description)

if __name__ == "__main__":
    server.run()
