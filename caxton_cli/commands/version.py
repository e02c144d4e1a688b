"""`caxton version`."""

import platform

import click

from caxton_cli.printing import emit
from caxton_cli.version import VERSION


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def version(*, as_json: bool) -> None:
    """Print the version."""
    if as_json:
        emit({"version": VERSION, "python": platform.python_version(), "system": platform.system()})
    else:
        print(f"caxton {VERSION}")
