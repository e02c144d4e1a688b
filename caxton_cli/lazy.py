"""A group of commands whose modules are imported when one of them is called."""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple, final

import click


class Entry(NamedTuple):
    """Where a command is, as `module:attribute`, and what it does in one line."""

    target: str
    says: str


@final
class LazyGroup(click.Group):
    """Knows names and one line of help; everything else comes with the command's module."""

    def __init__(self, name: str, entries: Mapping[str, Entry], **attributes: object) -> None:
        super().__init__(name, **attributes)  # type: ignore[arg-type] # click's own keywords, passed on
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, in the order of the table."""
        return list(self.entries)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command, imported now."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names, or names that it may have meant."""
        if args and args[0] not in self.entries and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=self.list_commands(ctx), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """The table of commands, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.says) for name, entry in self.entries.items()])
