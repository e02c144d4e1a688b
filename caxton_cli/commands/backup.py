"""`caxton backup`, `verify` and `restore`: copies of all that a server keeps, without the server.

They open the files themselves: a copy can be made whether the server runs, hangs or is down.
"""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, TypeVar

import click

from caxton_cli import exits
from caxton_cli.configured import refused, settings_or_leave
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caxton_adapters.database.backup import CopyNotMade, CopyUnusable, Verified
    from caxton_adapters.settings import Settings

Command = TypeVar("Command", bound=Callable[..., object])

_FILE = click.Path(path_type=Path)


def names_server(command: Command) -> Command:
    """Give a command the flags that say which server's database is meant."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--database", help="The file of the server's database."),
        click.option("--data-dir", help="The directory that the server works in."),
        click.option("--config", help="Read these settings before all others."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("to", metavar="FILE", type=_FILE)
@names_server
def backup(*, to: Path, as_json: bool, config: str | None, **flags: object) -> int:
    """Copy all that the server keeps into FILE, while the server runs or not.

    The copy is one moment of the database, proven before it gets its name. Where FILE is a
    directory, the copy is put there under the time at which it was made.
    """
    from returns.result import Failure

    from caxton_adapters.database.backup import CopyNotMade, back_up

    settings = settings_or_leave(config, flags)
    file = to / f"caxton-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db" if to.is_dir() else to
    made = back_up(settings.storage.database, file)
    if isinstance(made, Failure):
        why = made.failure()
        raise _not_made(why) if isinstance(why, CopyNotMade) else _database_unusable(why)
    _tell(made.unwrap(), "backed up to {path}", as_json=as_json)
    return exits.DONE


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=_FILE)
@names_server
def verify(*, file: Path | None, as_json: bool, config: str | None, **flags: object) -> int:
    """Look at every page of a backup, or of the server's database where no FILE is named."""
    from returns.result import Failure

    from caxton_adapters.database.backup import verify as verified

    path = file or settings_or_leave(config, flags).storage.database
    found = verified(path)
    if isinstance(found, Failure):
        unusable = found.failure()
        raise _database_unusable(unusable) if file is None else _backup_unusable(unusable)
    _tell(found.unwrap(), "{path} is sound", as_json=as_json)
    return exits.DONE


@click.command()
@click.argument("file", metavar="FILE", type=_FILE)
@names_server
def restore(*, file: Path, as_json: bool, config: str | None, **flags: object) -> int:
    """Put the backup FILE in the place of the server's database; the server must not run.

    The backup is proven first, and the database that was there is kept beside the new one.
    """
    from returns.result import Failure

    from caxton_adapters.database.backup import CopyNotMade
    from caxton_adapters.database.backup import restore as restored

    settings = settings_or_leave(config, flags)
    with _claimed(settings):
        done = restored(file, settings.storage.database)
    if isinstance(done, Failure):
        why = done.failure()
        raise _not_made(why) if isinstance(why, CopyNotMade) else _backup_unusable(why)
    aside = done.unwrap().aside
    kept = None if aside is None else str(aside)
    _tell(done.unwrap().verified, "restored {path}", as_json=as_json, before=kept)
    if not as_json:
        note(f"what was there before is kept as {kept}" if kept else "nothing was there before")
        note(f"next: caxton server start{_given(config, flags)}")
    return exits.DONE


@contextmanager
def _claimed(settings: "Settings") -> "Iterator[None]":
    """The right to work in the data directory: no server has it, and none starts meanwhile."""
    from returns.result import Failure, Success

    from caxton_adapters.process import lock
    from caxton_adapters.process.private import make_directory
    from caxton_adapters.process.refusals import DirectoryLocked, in_words

    directory = settings.server.data_dir
    claimed = make_directory(directory).bind(lock.take)
    if isinstance(claimed, Failure):
        sentences = in_words(claimed.failure())
        if isinstance(claimed.failure(), DirectoryLocked):
            raise Leave(
                sentences.what,
                exit_code=exits.CANNOT_START,
                code=sentences.code,
                hint=f"end it first: caxton server stop --data-dir {directory}",
            )
        raise refused(sentences)
    ours = lock.take_database(settings.storage.database)
    try:
        if isinstance(ours, Failure):
            raise refused(in_words(ours.failure()))
        yield
    finally:
        if isinstance(ours, Success):
            ours.unwrap().release()
        claimed.unwrap().release()


def _given(config: str | None, flags: Mapping[str, object]) -> str:
    """The flags that named the database, for the command that comes next."""
    named = {"--config": config, **{f"--{name.replace('_', '-')}": flags[name] for name in flags}}
    return "".join(
        f" {flag} {quote(str(text))}" for flag, text in named.items() if text is not None
    )


def _tell(verified: "Verified", says: str, *, as_json: bool, **more: object) -> None:
    from attrs import asdict

    if as_json:
        emit({**asdict(verified), "path": str(verified.path), **more})
        return
    held = (
        _counted(verified.agents, "agent"),
        _counted(verified.conversations, "conversation"),
        _counted(verified.messages, "message"),
    )
    print(f"{says.format(path=verified.path)}: {', '.join(held)}")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _database_unusable(unusable: "CopyUnusable") -> Leave:
    from caxton_adapters.process.refusals import DatabaseUnusable, in_words

    return refused(in_words(DatabaseUnusable(unusable.path, unusable.why)))


def _backup_unusable(unusable: "CopyUnusable") -> Leave:
    return _left("CX2110", exits.INVALID, unusable.path, unusable.why)


def _not_made(failed: "CopyNotMade") -> Leave:
    return _left("CX2111", exits.FAILED, failed.path, failed.why)


def _left(code: str, exit_code: int, path: Path, reason: str) -> Leave:
    from caxton_core.codes.catalogue import EXPLANATIONS

    explained = EXPLANATIONS[code]
    message = explained.message.format(path=path, reason=reason)
    hint = explained.advice.format(path=path)
    return Leave(message, exit_code=exit_code, code=code, hint=hint)
