"""A server of tools in a few lines of the standard library, which behaves as badly as it is told.

Run as `python -I -S server.py [OPTION=VALUE ...]`:

    exit=start|initialize|list|call   ends at that moment, with code 3
    hang=initialize|list|call         never answers that
    die=call                          is killed by every call
    first=FILE                        is killed by the first call, before there is the file
    stderr=BYTES                      writes so much to standard error first
    garbage=LINES                     writes so many lines that are no messages first
    line=BYTES                        `long` answers with so many characters
    endless=BYTES                     `long` writes so many bytes without an end of line
    children=1                        starts a child and a grandchild that ignore SIGTERM
    deaf=1                            ignores SIGTERM and the end of its input
    note=FILE                         appends what happens to the file
    tools=NUMBER                      lists so many further tools
    page=NUMBER                       lists so many tools on a page
    fat=BYTES                         lists tools with schemas of this size, 20 a page, without end
    picky=1                           refuses the arguments of every call
    flood=NUMBER                      `echo` is followed by so many notifications
    demand=BYTES                      `echo` is followed by questions of this size
    take=NUMBER                       so many of them, whose answers are read; else without end
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[1:])
FOR_EVER = 10**6
LIMITS = [each for each in dir(resource) if each.startswith("RLIMIT_")]
OBJECT = {"type": "object"}
TEXT = {**OBJECT, "properties": {"text": {"type": "string"}}, "required": ["text"]}
SUM = {**OBJECT, "properties": {"sum": {"type": "number"}}, "required": ["sum"]}
COLOUR = {**OBJECT, "properties": {"colour": {"type": "string", "default": "blue"}}}
ASKING: list[object] = []
DESCRIPTION = {"echo": "Say it again."}
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
GRANDCHILD = f"{DEAF}; time.sleep({FOR_EVER})"
CHILD = f"""{DEAF}
import subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-I", "-S", "-c", {GRANDCHILD!r}])
print(grandchild.pid, flush=True)
time.sleep({FOR_EVER})
"""


def note(text: str) -> None:
    if "note" in OPTIONS:
        with Path(OPTIONS["note"]).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")


def write(message: dict[str, Any]) -> None:
    message = {"jsonrpc": "2.0", **message}
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def at(moment: str) -> None:
    if OPTIONS.get("exit") == moment:
        sys.stderr.write(f"leaving at {moment}\n")
        sys.exit(3)
    if OPTIONS.get("hang") == moment:
        time.sleep(FOR_EVER)


def said(text: str, **more: object) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], **more}


def initialize(params: dict[str, Any]) -> dict[str, Any]:
    at("initialize")
    return {
        "protocolVersion": params["protocolVersion"],
        "capabilities": {"tools": {"listChanged": True}, "logging": {}},
        "serverInfo": {"name": "small", "title": "A small server", "version": "1.0"},
    }


def tool(name: str, schema: dict[str, Any], **more: object) -> dict[str, Any]:
    described = DESCRIPTION.get(name, f"It is called {name}.")
    return {"name": name, "description": described, "inputSchema": schema, **more}


def tools() -> list[dict[str, Any]]:
    further = range(int(OPTIONS.get("tools", "0")))
    return [
        tool("echo", TEXT, annotations={"readOnlyHint": True}),
        tool("change", TEXT),
        tool("add", OBJECT, outputSchema=SUM),
        tool("no name", OBJECT),
        *(tool(name, OBJECT) for name in ANSWERS if name not in {"echo", "change", "add"}),
        tool("sleep", OBJECT),
        tool("ask", OBJECT),
        *(tool(f"further_{number}", OBJECT) for number in further),
    ]


def fat(first: int, size: int) -> dict[str, Any]:
    note(f"lists {first}")
    schema = {**OBJECT, "title": "x" * size}
    page = [tool(f"fat_{number}", schema) for number in range(first, first + 20)]
    return {"tools": page, "nextCursor": str(first + 20)}


def listed(params: dict[str, Any]) -> dict[str, Any]:
    at("list")
    if "fat" in OPTIONS:
        return fat(int(params.get("cursor") or 0), int(OPTIONS["fat"]))
    first, page, every = int(params.get("cursor") or 0), int(OPTIONS.get("page", "1000")), tools()
    more = {"nextCursor": str(first + page)} if first + page < len(every) else {}
    return {"tools": every[first : first + page], **more}


def called(identity: object, params: dict[str, Any]) -> dict[str, Any]:
    name, arguments = params["name"], params.get("arguments") or {}
    note(f"call {name} {params.get('_meta', {}).get('caxton/key', '')}".rstrip())
    at("call")
    if OPTIONS.get("die") == "call":
        os.kill(os.getpid(), signal.SIGKILL)
    if "first" in OPTIONS and not Path(OPTIONS["first"]).exists():
        Path(OPTIONS["first"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if name not in ANSWERS:
        return said(f"there is no tool {name}", isError=True)
    return ANSWERS[name]({**arguments, "_id": identity, "_meta": params.get("_meta", {})})


def echo(arguments: dict[str, Any]) -> dict[str, Any]:
    for number in range(int(OPTIONS.get("flood", "0"))):
        data = {"level": "debug", "data": f"line {number}"}
        write({"method": "notifications/message", "params": data})
    if "demand" in OPTIONS:
        write({"id": arguments["_id"], "result": said(arguments["text"])})
        demand(int(OPTIONS["demand"]))
    return said(arguments["text"])


def demand(size: int) -> None:
    schema = {**OBJECT, "properties": {"colour": {"type": "string", "default": "y" * size}}}
    for number in range(int(OPTIONS.get("take", FOR_EVER))):
        note(f"asks {number}")
        asked = {"message": "Which colour?", "requestedSchema": schema}
        write({"id": f"q{number}", "method": "elicitation/create", "params": asked})


def long(_: dict[str, Any]) -> dict[str, Any]:
    left = int(OPTIONS.get("endless", "0"))
    while left > 0:
        sys.stdout.write("x" * min(left, 1_000_000))
        left -= 1_000_000
    return said("y" * int(OPTIONS.get("line", "100")))


def change(arguments: dict[str, Any]) -> dict[str, Any]:
    DESCRIPTION["echo"] = arguments["text"]
    write({"method": "notifications/tools/list_changed"})
    return said("changed")


def environment(_: dict[str, Any]) -> dict[str, Any]:
    files = sorted(int(each.name) for each in Path("/dev/fd").iterdir())
    given = Path("/proc/self/environ").read_text("utf-8").rstrip("\0").split("\0")
    facts = {
        "variables": dict(each.split("=", 1) for each in given),
        "files": files,
        "group": os.getpgid(0),
        "directory": str(Path.cwd()),
        "limits": {each: resource.getrlimit(getattr(resource, each)) for each in LIMITS},
    }
    return said(json.dumps({**facts, "pid": os.getpid(), "session": os.getsid(0)}))


def grow(arguments: dict[str, Any]) -> dict[str, Any]:
    return said(str(len(bytearray(arguments["bytes"]))))


def open_files(arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(arguments["number"])]
    except OSError as error:
        sys.exit(str(error))
    return said(str(len(kept)))


def write_file(arguments: dict[str, Any]) -> dict[str, Any]:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    return said(str(Path("large").write_bytes(bytes(arguments["bytes"]))))


def log(arguments: dict[str, Any]) -> dict[str, Any]:
    data = "\x1b[31mred\x1b[0m\nsecond line"
    facts = {"level": "warning", "logger": "small", "data": data}
    write({"method": "notifications/message", "params": facts})
    token = arguments["_meta"].get("progressToken")
    progress = {"progressToken": token, "progress": 1, "total": 2, "message": "half"}
    write({"method": "notifications/progress", "params": progress})
    return said("logged")


def mixed(_: dict[str, Any]) -> dict[str, Any]:
    return {
        "content": [
            {"type": "text", "text": "a \x1b[1mbold\x1b[0m word \ud800"},
            {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"},
            {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"},
            {"type": "resource_link", "name": "report", "uri": "file:///report"},
            {"type": "resource", "resource": {"uri": "file:///notes", "text": "the notes"}},
            {"type": "resource", "resource": {"uri": "file:///x", "blob": "aGVsbG8="}},
        ]
    }


def twice(arguments: dict[str, Any]) -> dict[str, Any]:
    write({"id": 99_999, "result": said("for nobody")})
    write({"id": arguments["_id"], "result": said("first")})
    return said("second")


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "echo": echo,
    "change": change,
    "add": lambda arguments: {"content": [], "structuredContent": {"sum": arguments.get("sum")}},
    "fail": lambda _: said("it went wrong", isError=True),
    "long": long,
    "environment": environment,
    "grow": grow,
    "open_files": open_files,
    "write_file": write_file,
    "log": log,
    "mixed": mixed,
    "twice": twice,
}


def start() -> None:
    note(f"start {os.getpid()}")
    if "children" in OPTIONS:
        command = [sys.executable, "-I", "-S", "-c", CHILD]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert child.stdout is not None
        note(f"pids {os.getpid()} {child.pid} {child.stdout.readline().decode().strip()}")
    if "deaf" in OPTIONS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stderr.write("e" * int(OPTIONS.get("stderr", "0")))
    sys.stderr.flush()
    for number in range(int(OPTIONS.get("garbage", "0"))):
        sys.stdout.write(f"this is no message {number}\n")
    sys.stdout.flush()
    at("start")


def take(message: dict[str, Any]) -> None:
    method, params = message.get("method"), message.get("params") or {}
    match method:
        case "initialize":
            write({"id": message["id"], "result": initialize(params)})
        case "tools/list":
            write({"id": message["id"], "result": listed(params)})
        case "tools/call" if "picky" in OPTIONS:
            error = {"code": -32602, "message": "never these"}
            write({"id": message["id"], "error": error})
        case "tools/call" if params["name"] == "sleep":
            note(f"call sleep {message['id']}")
        case "tools/call" if params["name"] == "ask":
            ASKING.append(message["id"])
            asked = {"message": "Which colour?", "requestedSchema": COLOUR}
            write({"id": "question", "method": "elicitation/create", "params": asked})
        case None if message.get("id") == "question":
            write({"id": ASKING.pop(), "result": said(json.dumps(message.get("result")))})
        case "tools/call":
            write({"id": message["id"], "result": called(message["id"], params)})
        case "notifications/cancelled":
            note(f"cancelled {params['requestId']}")
        case str() if "id" in message:
            error = {"code": -32601, "message": "Method not found"}
            write({"id": message["id"], "error": error})
        case _:
            note(f"told {method or message.get('error')}")


if __name__ == "__main__":
    start()
    for line in sys.stdin:
        take(json.loads(line))
    note("input ended")
    if "deaf" in OPTIONS:
        time.sleep(FOR_EVER)
