"""The command line's reference, made from the commands themselves: man pages and Markdown.

`python -m caxton_cli.manual ROOT` writes what a checkout and its wheel carry; a test says that it
is current.
"""

import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

from caxton_cli import exits
from caxton_cli.commands.completion import script
from caxton_cli.root import root
from caxton_cli.version import VERSION

MAN = Path("caxton_cli/share/man/man1")
MARKDOWN = Path("docs/reference/cli.md")
COMPLETIONS = {
    "bash": Path("caxton_cli/share/bash-completion/completions/caxton"),
    "zsh": Path("caxton_cli/share/zsh/site-functions/_caxton"),
    "fish": Path("caxton_cli/share/fish/vendor_completions.d/caxton.fish"),
}
ENVIRONMENT = {
    "CAXTON_URL, CAXTON_API_TOKEN, CAXTON_API_TOKEN_FILE": (
        "The server to call and its token; the server itself asks for the same token."
    ),
    "CAXTON_CONFIG": "The settings file that is read before the usual ones.",
    "CAXTON_HOME": "One directory for everything: its settings and its data.",
    "CAXTON_HOST, CAXTON_PORT, CAXTON_DATA_DIR": "Where the server listens and keeps its data.",
    "CAXTON_DATABASE": "The file of its database, if not in that directory.",
    "CAXTON_LOG_LEVEL, CAXTON_LOG_FORMAT, CAXTON_LOG_FILE": "What the server logs, and where.",
    "CAXTON_DEFAULT_PROVIDER": "The provider of agents that name none.",
    "CAXTON_ALLOWED_HOSTS, CAXTON_ALLOWED_ORIGINS": "Who may call, separated by commas.",
    "CAXTON_MAX_BODY, CAXTON_DRAIN_TIMEOUT": 'Limits of the server: "1MB", "30s".',
    "OPENAI_API_KEY, OPENAI_API_KEY_FILE, OPENAI_BASE_URL": (
        "Make a provider named openai without any settings file."
    ),
    "NO_COLOR, FORCE_COLOR": "Never, or always, print in colours.",
}
FILES = {
    "./caxton.toml": "Settings of this directory; --config takes its place.",
    "$XDG_CONFIG_HOME/caxton/config.toml": "Settings of the user, usually in ~/.config.",
    "/etc/caxton/config.toml": "Settings of the machine.",
    "$XDG_DATA_HOME/caxton": "The data directory, usually in ~/.local/share.",
}


class Page(NamedTuple):
    """One command: its words, what it does, what it takes."""

    words: tuple[str, ...]
    says: str
    text: str
    usage: str
    options: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]


def pages() -> Iterator[Page]:
    """Every command, a group before its members."""
    context = click.Context(root, info_name="caxton", **root.context_settings)
    yield from _pages(root, context, ("caxton",))


def _pages(
    command: click.Command, context: click.Context, words: tuple[str, ...]
) -> Iterator[Page]:
    members: list[tuple[str, click.Command]] = []
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            assert member is not None
            members.append((name, member))
    yield Page(
        words,
        command.get_short_help_str(limit=200),
        inspect.cleandoc(command.help or ""),
        " ".join([*words, *command.collect_usage_pieces(context)]),
        tuple(_options(command, context)),
        tuple((name, member.get_short_help_str(limit=200)) for name, member in members),
    )
    for name, member in members:
        inner = click.Context(member, info_name=name, parent=context)
        yield from _pages(member, inner, (*words, name))


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield record


def roff(page: Page) -> str:
    """The man page of a command."""
    name = "-".join(page.words)
    parts = [
        f'.TH "{name.upper()}" "1" "" "Caxton {VERSION}" "Caxton manual"',
        ".SH NAME",
        f"{_escaped(name)} \\- {_escaped(page.says.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_escaped(page.usage)}",
        ".SH DESCRIPTION",
        *(_paragraphs(page.text)),
    ]
    parts += _section("COMMANDS", page.commands)
    parts += _section("OPTIONS", page.options)
    if len(page.words) == 1:
        statuses = [(str(code), f"{meaning}.") for code, meaning in exits.MEANINGS.items()]
        parts += _section("EXIT STATUS", statuses)
        parts += _section("ENVIRONMENT", ENVIRONMENT.items())
        parts += _section("FILES", FILES.items())
    return "\n".join([*parts, ""])


def _section(title: str, items: Iterable[tuple[str, str]]) -> Iterator[str]:
    listed = list(items)
    if listed:
        yield f".SH {title}"
    for term, meaning in listed:
        yield from (".TP", f"\\fB{_escaped(term)}\\fR", _escaped(meaning))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield ".PP"
        yield _escaped(" ".join(paragraph.split()))


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


def markdown() -> str:
    """The reference of all commands as one page."""
    parts = ["# Command line\n", _INTRODUCTION]
    for page in pages():
        if len(page.words) > 1:
            parts += _markdown_of(page)
    parts += ["## Exit codes\n", _table("Code", "Meaning", exits.MEANINGS.items())]
    parts += ["## Environment\n", _table("Variable", "Meaning", ENVIRONMENT.items())]
    parts += ["## Files\n", _table("File", "Meaning", FILES.items())]
    return "\n".join(parts)


_INTRODUCTION = """\
Results go to standard output, everything else to standard error. `--json` prints one document for
programs. Colours and progress appear on a terminal only.
"""


def _markdown_of(page: Page) -> Iterator[str]:
    yield f"{'#' * len(page.words)} `{' '.join(page.words)}`\n"
    yield f"{page.text}\n"
    yield f"```text\n{page.usage}\n```\n"
    if page.options:
        yield _table("Option", "Meaning", page.options)


def _table(first: str, second: str, rows: Iterable[tuple[object, str]]) -> str:
    lines = [f"| `{term}` | {meaning.replace('|', chr(92) + '|')} |" for term, meaning in rows]
    return "\n".join([f"| {first} | {second} |", "|---|---|", *lines, ""])


def generated() -> dict[Path, str]:
    """Every file that is made from the commands, by its path in a checkout."""
    made = {MAN / f"{'-'.join(page.words)}.1": roff(page) for page in pages()}
    made |= {path: script(shell) for shell, path in COMPLETIONS.items()}
    return {**made, MARKDOWN: markdown()}


def write(checkout: Path) -> None:
    """Bring the files of a checkout up to date."""
    made = generated()
    for path in (checkout / MAN).glob("*.1"):
        if path.relative_to(checkout) not in made:
            path.unlink()
    for path, text in made.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
