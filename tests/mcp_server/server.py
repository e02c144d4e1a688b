"""A server of tools in a few lines of the standard library, which behaves as badly as it is told.

Run as `python -I -S server.py [OPTION=VALUE ...]`; `behaviour.py` in words:

    exit=start|initialize|list|call   ends at that moment (with code 3)
    hang=initialize|list|call         never answers that
    die=call                          is killed by every call
    stderr=BYTES                      writes so much to standard error first
    garbage=LINES                     writes so many lines that are no messages first
    line=BYTES                        answers calls of `long` with a line of that length
    children=1                        starts a child and a grandchild that ignore SIGTERM
    deaf=1                            ignores SIGTERM and the end of its input
    note=FILE                         appends what happens to the file
    tools=NUMBER                      lists so many further tools
    page=NUMBER                       lists so many tools on a page
"""

import json
import os
import signal
import subprocess
import sys
import time

OPTIONS = dict(argument.split("=", 1) for argument in sys.argv[1:])
FOR_EVER = 10**6
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
NUMBER = {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}
DESCRIPTION = {"now": "Say it again."}


def note(text):
    if "note" in OPTIONS:
        with open(OPTIONS["note"], "a", encoding="utf-8") as file:
            file.write(f"{text}\n")


def write(message):
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def at(moment):
    if OPTIONS.get("exit") == moment:
        print(f"leaving at {moment}", file=sys.stderr, flush=True)
        sys.exit(3)
    if OPTIONS.get("hang") == moment:
        time.sleep(FOR_EVER)


def answer(identity, result):
    write({"jsonrpc": "2.0", "id": identity, "result": result})


def text(said, **more):
    return {"content": [{"type": "text", "text": said}], **more}


def initialize(message):
    at("initialize")
    return {
        "protocolVersion": message["params"]["protocolVersion"],
        "capabilities": {"tools": {"listChanged": True}, "logging": {}},
        "serverInfo": {"name": "small", "title": "A small server", "version": "1.0"},
    }


def tools():
    known = [
        tool("echo", DESCRIPTION["now"], TEXT, annotations={"readOnlyHint": True}),
        tool("fail", "Fails.", {"type": "object"}),
        tool("sleep", "Takes its time.", {"type": "object"}),
        tool("long", "Says much.", {"type": "object"}),
        tool("environment", "Tells its variables and open files.", {"type": "object"}),
        tool("add", "Adds.", {"type": "object"}, outputSchema=NUMBER),
        tool("change", "Describes echo in other words.", TEXT),
        tool("log", "Logs and tells of progress.", {"type": "object"}),
        tool("mixed", "Answers with all kinds of content.", {"type": "object"}),
        tool("twice", "Answers twice, and to nobody.", {"type": "object"}),
    ]
    more = [
        tool(f"more_{n}", "More.", {"type": "object"}) for n in range(int(OPTIONS.get("tools", 0)))
    ]
    return [*known, *more]


def tool(name, description, schema, **more):
    return {"name": name, "description": description, "inputSchema": schema, **more}


def listed(message):
    at("list")
    first = int((message.get("params") or {}).get("cursor") or 0)
    page = int(OPTIONS.get("page", 1000))
    every = tools()
    result = {"tools": every[first : first + page]}
    if first + page < len(every):
        result["nextCursor"] = str(first + page)
    return result


def call(message):
    name, arguments = message["params"]["name"], message["params"].get("arguments") or {}
    note(f"call {name} {message['params'].get('_meta', {}).get('caxton/key', '')}")
    at("call")
    if OPTIONS.get("die") == "call":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "echo":
        return text(arguments["text"])
    if name == "fail":
        return text("it went wrong", isError=True)
    if name == "long":
        return text("x" * int(OPTIONS.get("line", 100)))
    if name == "add":
        return text("", structuredContent={"sum": arguments.get("sum", "no number")})
    if name == "environment":
        files = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
        return text(
            json.dumps({"variables": dict(os.environ), "files": len(files), "cwd": os.getcwd()})
        )
    if name == "change":
        DESCRIPTION["now"] = arguments["text"]
        write({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        return text("changed")
    if name == "mixed":
        return mixed()
    if name == "log":
        return logged(message)
    if name == "twice":
        answer(message["id"], text("first"))
        answer(99999, text("for nobody"))
        return text("second")
    return text(f"unknown tool {name}", isError=True)


def logged(message):
    data = "\x1b[31mred\x1b[0m\nsecond line"
    write(
        {
            "jsonrpc": "2.0",
            "method": "notifications/message",
            "params": {"level": "warning", "logger": "small", "data": data},
        }
    )
    token = message["params"].get("_meta", {}).get("progressToken")
    write(
        {
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": token, "progress": 1, "total": 2, "message": "half"},
        }
    )
    return text("logged")


def mixed():
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


def start():
    if "children" in OPTIONS:
        child = (
            "import signal, subprocess, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "again = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(10**6)'\n"
            "grandchild = subprocess.Popen([sys.executable, '-I', '-S', '-c', again])\n"
            "print(grandchild.pid, flush=True)\n"
            "time.sleep(10**6)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", child],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        note(f"pids {os.getpid()} {process.pid} {process.stdout.readline().decode().strip()}")
    if "deaf" in OPTIONS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "stderr" in OPTIONS:
        sys.stderr.write("e" * int(OPTIONS["stderr"]) + "\n")
        sys.stderr.flush()
    for number in range(int(OPTIONS.get("garbage", 0))):
        print(f"this is no message {number}", flush=True)


def main():
    note(f"start {os.getpid()}")
    start()
    at("start")
    pending = {}
    for line in sys.stdin:
        message = json.loads(line)
        method = message.get("method")
        if method == "initialize":
            answer(message["id"], initialize(message))
        elif method == "tools/list":
            answer(message["id"], listed(message))
        elif method == "tools/call" and message["params"]["name"] == "sleep":
            pending[message["id"]] = message
            note(f"call sleep {message['id']}")
        elif method == "tools/call":
            answer(message["id"], call(message))
        elif method == "notifications/cancelled":
            note(f"cancelled {message['params']['requestId']}")
        elif "id" in message and method:
            error = {"code": -32601, "message": "Method not found"}
            write({"jsonrpc": "2.0", "id": message["id"], "error": error})
    note("input ended")
    if "deaf" in OPTIONS:
        time.sleep(FOR_EVER)


if __name__ == "__main__":
    main()
