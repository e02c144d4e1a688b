"""What a person waits for at the prompt loads next to nothing."""

import pytest

from tests.architecture.interpreter import installed, loaded_after

# Costs of a cold start that a status check need not pay: each of them is 5 to 60 ms.
SLOW = {
    "argparse",
    "asyncio",
    "dataclasses",
    "email",
    "http",
    "inspect",
    "logging",
    "pathlib",
    "ssl",
}
RUN = """
import os, sys
os.environ["HOME"] = {home!r}
sys.argv = ["caxton", *{arguments!r}]
from caxton_cli.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "arguments", [["version"], ["server", "status"], ["server", "status", "--json"]]
)
def test_a_status_check_needs_the_standard_library_alone(
    arguments: list[str], tmp_path: object
) -> None:
    loaded = loaded_after(RUN.format(home=str(tmp_path), arguments=arguments))
    assert loaded & installed(but={"caxton"}) == set()
    assert SLOW.isdisjoint(loaded)


def test_the_command_table_loads_no_adapter_and_no_command() -> None:
    loaded = loaded_after(RUN.format(home="/nowhere", arguments=["--help"]))
    assert {"caxton_adapters", "anyio", "litestar", "openai"}.isdisjoint(loaded)
