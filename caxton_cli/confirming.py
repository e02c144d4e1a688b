"""Asking a person before something is lost."""

import sys

import click

from caxton_cli import exits
from caxton_cli.leaving import Leave
from caxton_cli.printing import is_terminal

YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def confirm(question: str, *, yes: bool) -> None:
    """Leave the command unless somebody agrees, or agreed before."""
    if yes:
        return
    if not (sys.stdin.isatty() and is_terminal()):
        raise Leave(f"{question} Nobody can answer here.", exit_code=exits.USAGE, hint="add --yes")
    if not click.confirm(question, err=True):
        raise Leave("nothing was done")
