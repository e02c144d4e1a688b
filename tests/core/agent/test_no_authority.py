"""An agent file wishes; it has no key with which it could reach, run or open anything."""

from caxton_core.agent.config import AgentConfig
from caxton_core.reading.describing import entries

POWERS = {
    "address",
    "args",
    "command",
    "directory",
    "env",
    "environment",
    "file",
    "header",
    "headers",
    "host",
    "key",
    "password",
    "path",
    "port",
    "proxy",
    "secret",
    "socket",
    "token",
    "url",
}


def test_no_key_of_an_agent_file_names_an_address_a_path_a_command_or_a_secret() -> None:
    names = [".".join(map(str, entry.at)) for entry in entries(AgentConfig)]
    words = {name: set(name.rpartition(".")[2].split("_")) for name in names}
    assert {name for name, parts in words.items() if parts & POWERS} == set()
    assert len(words) > 40
