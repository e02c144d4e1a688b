import json
from importlib.metadata import version

from caxton_cli.version import VERSION
from tests.cli.command import Shell


def test_the_version_is_the_one_that_is_installed(shell: Shell) -> None:
    assert version("caxton") == VERSION
    assert json.loads(shell.run("version", "--json").out)["version"] == VERSION
