"""What a path names is looked for among agents, messages and keys, never on the disk."""

from pathlib import Path

import pytest
from returns.result import Failure

from caxton_adapters.auth.token import TokenName
from caxton_core.primitives import AgentName, CapabilityName, ConversationId, MessageId
from tests.adapters.rest.conftest import Served, raw
from tests.adapters.rest.routes import ROUTES

CANARY = "canary of the file system"
HOSTILE = (
    "..",
    ".",
    "../x",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%2e%2e",
    "..%252f..%252fetc%252fpasswd",
    "....//....//etc/passwd",
    "..\\..\\windows\\win.ini",
    "..%5c..%5cwindows",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "x%00.toml",
    "%00",
    "x%0a%0dset-cookie:%20a=b",
    "file:%2f%2f%2fetc%2fpasswd",
    "~root",
    "$HOME",
    "CON",
    "NUL.txt",
    "%ff%fe",
    "%c0%ae%c0%ae%c0%af",
    "%u002e%u002e",
    "a" * 300,
    "\u202e".encode().hex(),
    "%e2%80%ae",
    "'%20OR%201=1--",
    "%7b%7b7*7%7d%7d",
    "%24%7bCANARY%7d",
)
NAMES = (
    "..",
    "../x",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "C:x",
    "~",
    "$HOME",
    "",
    ".",
    "a.toml/..",
    "a\u202eb",
    "\uff0e\uff0e\uff0f",
)


@pytest.mark.parametrize("hostile", [*HOSTILE, "SECRET"])
async def test_a_hostile_path_reads_nothing_and_breaks_nothing(
    server: Served, hostile: str, tmp_path: Path
) -> None:
    await server.api.management()
    (tmp_path / "secret").write_text(CANARY)
    name = hostile.replace("SECRET", f"..%2f..{tmp_path}/secret")
    for method, path in {(m, p) for m, p in ROUTES if "nobody" in p}:
        target = path.replace("nobody", name)
        head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        answer = await raw(server, f"{head}content-length: 0\r\n\r\n".encode("latin-1"))
        assert int(answer.split(b" ", 2)[1]) != 500, (method, target)
        assert b"root:" not in answer
        assert CANARY.encode() not in answer
        assert b"\r\nset-cookie" not in answer.lower()


@pytest.mark.parametrize("kind", [AgentName, CapabilityName, ConversationId, MessageId, TokenName])
@pytest.mark.parametrize("text", NAMES)
def test_what_would_be_a_path_is_no_name(kind: type[AgentName], text: str) -> None:
    assert isinstance(kind.parse(text), Failure)
