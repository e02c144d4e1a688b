"""`caxton memory ...`: what agents remember, listed, changed, searched, moved."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import click

from caxton_cli import exits
from caxton_cli.client import Caller, calls_server, connect, segment
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.leaving import Leave
from caxton_cli.printing import columns, emit, is_terminal, note

Command = TypeVar("Command", bound=Callable[..., object])

PAGE = 200
PART = 400_000
"""So many bytes travel at once: less than a server takes by default, and soon stored."""
_WIDEST = 60
_FILTERS = ("kind", "tags", "since", "until")
_MODULE = "caxton_cli.commands.memory"

COMMANDS = {
    "list": Entry(f"{_MODULE}:list_entries", "List what is remembered, the newest first."),
    "search": Entry(f"{_MODULE}:search", "Find entries by their words, the best first."),
    "get": Entry(f"{_MODULE}:get", "Show an entry."),
    "set": Entry(f"{_MODULE}:set_entry", "Store an entry."),
    "forget": Entry(f"{_MODULE}:forget", "Forget entries."),
    "export": Entry(f"{_MODULE}:export", "Print every entry as a line of JSON."),
    "import": Entry(f"{_MODULE}:import_entries", "Store entries from lines of JSON."),
}
memory = LazyGroup("memory", COMMANDS, help="Look after what agents remember.")

_YES = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_LIMIT = click.option("--limit", type=click.IntRange(1), help="How many at most.")


def of_owner(command: Command) -> Command:
    """Give a command the options that say whose entries are meant."""
    for option in (
        click.option("--global", "for_all", is_flag=True, help="What all agents share."),
        click.option("--conversation", metavar="ID", help="One conversation of the agent."),
        click.option("--agent", metavar="NAME", help="The agent that remembers."),
    ):
        command = option(command)
    return command


def filtered(command: Command) -> Command:
    """Give a command the options that choose among the entries."""
    for option in (
        click.option("--until", metavar="TIME", help="Stored before this time."),
        click.option("--since", metavar="TIME", help="Stored from this time on."),
        click.option("--tag", "tags", multiple=True, help="With this tag; repeat for more."),
        click.option("--kind", help="Of this kind."),
    ):
        command = option(command)
    return command


@click.command("list")
@of_owner
@filtered
@_LIMIT
@calls_server
def list_entries(
    *, limit: int | None, url: str | None, token: str | None, as_json: bool, **chosen: object
) -> int:
    """List what is remembered, the newest first."""
    return _show(connect(url, token), chosen, limit, as_json=as_json)


@click.command()
@click.argument("words", nargs=-1, required=True)
@of_owner
@filtered
@_LIMIT
@calls_server
def search(
    *,
    words: tuple[str, ...],
    limit: int | None,
    url: str | None,
    token: str | None,
    as_json: bool,
    **chosen: object,
) -> int:
    """Find the entries that have all the WORDS, the best first."""
    chosen["q"] = " ".join(words)
    return _show(connect(url, token), chosen, limit, as_json=as_json)


@click.command()
@click.argument("key")
@of_owner
@calls_server
def get(*, key: str, url: str | None, token: str | None, as_json: bool, **chosen: object) -> int:
    """Show the entry of this KEY."""
    path = f"/memory/{segment(key)}?{_query(chosen)}"
    document = connect(url, token).call("GET", path).document
    if as_json:
        emit(document)
        return exits.DONE
    for name, value in document.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        print(f"{name.replace('_', ' '):<11} {shown}")
    return exits.DONE


@click.command("set")
@click.argument("key")
@click.argument("text", required=False, default="")
@click.option("--value", help="Anything else, as JSON.")
@click.option("--kind", help="What sort of entry it is; `note` by default.")
@click.option("--tag", "tags", multiple=True, help="A word to find it by; repeat for more.")
@click.option("--valid-from", metavar="TIME", help="From when on it holds.")
@click.option("--valid-to", metavar="TIME", help="Until when it holds.")
@of_owner
@calls_server
def set_entry(
    *,
    key: str,
    url: str | None,
    token: str | None,
    as_json: bool,
    **chosen: object,
) -> int:
    """Store a TEXT under a KEY, in place of what is there; `-` reads standard input."""
    path = f"/memory/{segment(key)}?{_query(_owner(chosen))}"
    document = connect(url, token).call("PUT", path, _entry(chosen)).document
    if as_json:
        emit(document)
    else:
        print(f"remembered {document['key']}")
    return exits.DONE


@click.command()
@click.argument("key", required=False)
@of_owner
@filtered
@click.option("--all", "everything", is_flag=True, help="Everything that the owner remembers.")
@_YES
@calls_server
def forget(
    *,
    key: str | None,
    everything: bool,
    yes: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
    **chosen: object,
) -> int:
    """Forget the entry of this KEY, or all entries that the options choose."""
    caller = connect(url, token)
    if key is not None:
        if everything or any(chosen[name] for name in _FILTERS):
            raise click.UsageError("name a KEY, or choose entries by options: not both")
        caller.call("DELETE", f"/memory/{segment(key)}?{_query(_owner(chosen))}")
        forgotten: object = 1
    else:
        query = _query({**chosen, "all": "true"} if everything else chosen)
        _confirm(f"forget {'everything' if everything else 'all that fits'}?", yes=yes)
        forgotten = caller.call("DELETE", f"/memory?{query}").document["forgotten"]
    if as_json:
        emit({"forgotten": forgotten})
    else:
        print(f"forgot {key}" if key is not None else f"forgot {_entries_of(forgotten)}")
    return exits.DONE


@click.command()
@of_owner
@calls_server
def export(*, url: str | None, token: str | None, as_json: bool, **chosen: object) -> int:
    """Print every entry with its relations as a line of JSON; `import` reads them again."""
    with connect(url, token).lines("GET", f"/memory/export?{_query(chosen)}") as lines:
        if as_json:
            emit([json.loads(line) for line in lines])
            return exits.DONE
        for line in lines:
            print(line)
    return exits.DONE


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--partly", is_flag=True, help="Store the lines that can be read.")
@of_owner
@calls_server
def import_entries(
    *,
    file: Path,
    partly: bool,
    url: str | None,
    token: str | None,
    as_json: bool,
    **chosen: object,
) -> int:
    """Store the entries of a FILE of JSON lines, all or none; `-` is standard input."""
    caller, query = connect(url, token), _query(chosen)
    parts = list(_parts(_content(file)))
    errors = [error for part in parts for error in part.checked(caller, query)]
    if errors and not partly:
        raise Leave(
            "\n".join([f"{len(errors)} problems, so nothing was stored", *map(_told, errors)]),
            exit_code=exits.INVALID,
            code="CX4043",
            hint="repair the lines, or store the others: --partly",
        )
    stored = sum(part.stored(caller, query) for part in parts)
    if len(parts) > 1 and any(part.has_relations for part in parts):
        # What was stored first may be related to what came later: now all of it is there.
        for part in parts:
            part.stored(caller, query)
    if as_json:
        emit({"stored": stored, "errors": errors})
    else:
        print(f"stored {_entries_of(stored)}")
        for error in errors:
            note(_told(error))
    return exits.DONE


class Part:
    """Some lines of a file, the first of them with its number in the file."""

    def __init__(self, first: int, lines: list[bytes]) -> None:
        self.first = first
        self.body = b"".join(lines)
        self.has_relations = b'"relations"' in self.body

    def checked(self, caller: Caller, query: str) -> list[dict[str, object]]:
        """What is wrong with the lines, by their numbers in the file."""
        found = self._sent(caller, f"{query}&check=true")["errors"]
        errors = found if isinstance(found, list) else []
        return [{**error, "line": error["line"] + self.first - 1} for error in errors]

    def stored(self, caller: Caller, query: str) -> int:
        """Store the lines that can be read; how many there were."""
        stored = self._sent(caller, f"{query}&partly=true")["stored"]
        return stored if isinstance(stored, int) else 0

    def _sent(self, caller: Caller, query: str) -> Mapping[str, object]:
        return caller.call("POST", f"/memory/import?{query}", self.body).document


def _parts(content: bytes) -> Iterator[Part]:
    first, lines, size = 1, list[bytes](), 0
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        if lines and size + len(line) > PART:
            yield Part(first, lines)
            first, lines, size = number, [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield Part(first, lines)


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Leave(f"{path} cannot be read: {error.strerror}", exit_code=exits.INVALID) from error


def _told(error: Mapping[str, object]) -> str:
    at = f"{error['at']}: " if error.get("at") else ""
    return f"  line {error['line']}: {error['code']} {at}{error['message']}"


def _show(caller: Caller, chosen: Mapping[str, object], limit: int | None, *, as_json: bool) -> int:
    entries = list(_entries(caller, _query(chosen), limit))
    if as_json:
        emit({"entries": entries})
    elif entries:
        columns(("KEY", "KIND", "UPDATED", "TAGS", "TEXT"), map(_row, entries))
    else:
        narrowed = any(chosen.get(name) for name in ("q", *_FILTERS))
        note("nothing fits" if narrowed else "nothing is remembered here")
    return exits.DONE


def _entries(caller: Caller, query: str, limit: int | None) -> Iterator[Mapping[str, object]]:
    """The entries that fit, page by page, until there are enough."""
    left, cursor = limit, ""
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = caller.call("GET", f"/memory?{query}&limit={size}{cursor}").document
        found = page.get("entries")
        entries = found if isinstance(found, list) else []
        yield from entries
        if not page.get("next"):
            return
        cursor = f"&cursor={page['next']}"
        left = None if left is None else left - len(entries)


def _row(entry: Mapping[str, object]) -> tuple[object, ...]:
    tags = entry.get("tags")
    said = entry.get("text") or _written(entry.get("value"))
    text = " ".join(str(said).split())
    return (
        entry["key"],
        entry["kind"],
        str(entry["updated_at"])[:19],
        ", ".join(map(str, tags)) if isinstance(tags, list) else "",
        text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…",
    )


def _entries_of(count: object) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _written(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _owner(chosen: Mapping[str, object]) -> dict[str, object]:
    """The part of a command's options that says whose entries are meant."""
    return {name: chosen[name] for name in ("agent", "conversation", "for_all")}


def _query(chosen: Mapping[str, object]) -> str:
    """The options as parameters of a request; leaves where they do not name one owner."""
    for_all, agent = chosen["for_all"], chosen["agent"]
    if bool(for_all) == (agent is not None):
        raise click.UsageError(
            "name one owner: --agent NAME, with it --conversation ID, or --global"
        )
    if for_all and chosen["conversation"]:
        raise click.UsageError("a conversation is one of an agent: --agent NAME")
    named = {"scope": "global" if for_all else None, **chosen}
    tags = named.pop("tags", ())
    named.pop("for_all")
    pairs = [(name, str(value)) for name, value in named.items() if value is not None]
    pairs += [("tag", str(tag)) for tag in (tags if isinstance(tags, tuple) else ())]
    return urlencode(pairs)


def _entry(chosen: Mapping[str, object]) -> dict[str, object]:
    """The body of an entry; leaves where the value is not JSON."""
    text = sys.stdin.read() if chosen["text"] == "-" else chosen["text"]
    tags = chosen["tags"]
    given = {
        "text": text,
        "value": _value(chosen["value"]),
        "kind": chosen["kind"],
        "tags": list(tags) if isinstance(tags, tuple) else [],
        "valid_from": chosen["valid_from"],
        "valid_to": chosen["valid_to"],
    }
    return {name: value for name, value in given.items() if value is not None}


def _value(text: object) -> object:
    if text is None:
        return None
    try:
        return json.loads(str(text))
    except ValueError as error:
        raise click.UsageError(f"--value is not JSON: {error}") from error


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not (sys.stdin.isatty() and is_terminal()):
        raise Leave(f"{question} Nobody can answer here.", exit_code=exits.USAGE, hint="add --yes")
    if not click.confirm(question, err=True):
        raise Leave("nothing was done")
