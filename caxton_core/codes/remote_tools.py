"""CX2240 to CX2245: rules of the addresses of remote servers of tools, and of their tokens."""

from typing import Final

from caxton_core.codes.explanation import Explanation

REMOTE_TOOLS: Final = (
    Explanation(
        "CX2240",
        "client credentials missing",
        "{what} needs the key `{key}` beside it",
        "The secret of a client is sent to the authorization server that the settings name, "
        "never to one that a tool server names.",
        "Write the key, or let a person log in: `grant` is then `authorization_code`.",
        '[mcp.servers.files]\nurl = "https://tools.example.org/mcp"\n\n'
        '[mcp.servers.files.oauth]\ngrant = "client_credentials"\nclient_id = "caxton"\n'
        'client_secret = "secret"',
        '[mcp.servers.files]\nurl = "https://tools.example.org/mcp"\n\n'
        '[mcp.servers.files.oauth]\ngrant = "client_credentials"\nclient_id = "caxton"\n'
        'client_secret = "secret"\nissuer = "https://login.example.org"',
    ),
    Explanation(
        "CX2241",
        "address out of reach",
        "{why}",
        "A server that asks any address for anyone is a way into the network that it stands in.",
        "Write an https:// address; for a server in a private network set `private_network`.",
        '[mcp.servers.files]\nurl = "http://10.0.0.7/mcp"',
        '[mcp.servers.files]\nurl = "http://10.0.0.7/mcp"\nprivate_network = true',
    ),
    Explanation(
        "CX2242",
        "port unusable",
        "no machine has this port",
        "Ports are numbers up to 65535.",
        "Write a port that is free, or remove the key.",
        '[mcp.servers.files]\nurl = "https://tools.example.org/mcp"\n'
        "oauth = { redirect_port = 70000 }",
        '[mcp.servers.files]\nurl = "https://tools.example.org/mcp"\n'
        "oauth = { redirect_port = 8765 }",
    ),
)
