"""CX2210 to CX2219: rules of the registration of a server of tools."""

from typing import Final

from caxton_core.codes.explanation import Explanation

TOOL_SERVERS: Final = (
    Explanation(
        "CX2210",
        "command or url",
        "a server of tools has either a command or a url; this one has {found}",
        "The command is a program that Caxton starts, the url a server that runs elsewhere.",
        "Write one of `command` and `url`.",
        "[mcp.servers.files]\nenabled = true",
        '[mcp.servers.files]\ncommand = "npx"\nargs = ["-y", "some-server"]',
    ),
    Explanation(
        "CX2211",
        "key of the other transport",
        "`{key}` says something only beside a {other}",
        "A key without effect is more likely a mistake than a wish.",
        "Remove it, or write the {other}.",
        '[mcp.servers.files]\nurl = "https://tools.example.org/mcp"\nargs = ["-v"]',
        '[mcp.servers.files]\nurl = "https://tools.example.org/mcp"',
    ),
    Explanation(
        "CX2212",
        "fallback unusable",
        "no other server named {name} can stand in",
        "A fallback is another registered server that offers tools of the same names.",
        "Name another registered server, or remove the key.",
        '[mcp.servers.files]\ncommand = "files"\nfallback = "files"',
        '[mcp.servers.files]\ncommand = "files"\nfallback = "spare"\n\n'
        '[mcp.servers.spare]\ncommand = "spare"',
    ),
    Explanation(
        "CX2213",
        "name reserved",
        "{name} is the name of built-in tools",
        "A server of that name could pretend to be them.",
        "Give the server another name.",
        '[mcp.servers.memory]\ncommand = "other-memory"',
        '[mcp.servers.notes]\ncommand = "other-memory"',
    ),
    Explanation(
        "CX2214",
        "name unusable",
        "{name} cannot be the name of a {kind}",
        "The server would never see it, or see something else.",
        "Write a name of letters, digits and `_` (in headers also `-`).",
        '[mcp.servers.files]\ncommand = "files"\nenv = { "A=B" = "c" }',
        '[mcp.servers.files]\ncommand = "files"\nenv = { A = "b" }',
    ),
    Explanation(
        "CX2215",
        "reference in a stored registration",
        "`{reference}` would be sent as it is written: only in the settings it is a variable",
        "What comes through the API is stored; a secret that was meant by its name would be "
        "missing, and one put in its place would lie in the database.",
        "Register the server under [mcp.servers] in caxton.toml, where such a reference is the "
        "variable of Caxton's server; `--env NAME` stores the value that it has here.",
    ),
    Explanation(
        "CX2216",
        "path without a beginning",
        "a path that begins with `{beginning}` needs `{key}`: without it, it begins in the "
        "program's own directory",
        "A program that is a server of tools gets a directory of its own as its home and its "
        "working directory. A path that leads from there would silently be another one.",
        "Write the whole path, or give the program a directory: `cwd` for what begins with `.`, "
        "the variable HOME in `env` for what begins with `~`.",
        '[mcp.servers.files]\ncommand = "files"\nargs = ["./docs"]',
        '[mcp.servers.files]\ncommand = "files"\nargs = ["./docs"]\ncwd = "/srv"',
    ),
)
