"""Talking with an agent: one message, or a conversation in the terminal."""

import sys
from http.client import NOT_FOUND, OK
from importlib.util import find_spec

import click

from caxton_cli import exits
from caxton_cli.client import PATIENCE, Caller, calls_server, connect, refusal, segment
from caxton_cli.durations import SECONDS
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, is_terminal, note, styled
from caxton_cli.turn import Turn, shown

_LEAVE = ("/quit", "/exit", "/bye")
_HELP = ("/help", "/?")
_RESET = "/reset"
_COMMANDS = """\
/quit, /exit, /bye  leave, as Ctrl-D does
/reset              begin anew: the agent forgets what was said
/help, /?           tell these commands
Ctrl-C              cancel the answer that is coming; once more leaves
everything else is sent to the agent"""
_CANCELLED = "\ncancelled; Ctrl-C once more leaves"
_WAYS_TO_LEAVE = "\nCtrl-C once more leaves, as do Ctrl-D and /quit"


@click.command()
@click.argument("agent")
@click.argument("text", nargs=-1)
@click.option("--conversation", help="Continue this conversation.")
@click.option(
    "--timeout",
    type=SECONDS,
    metavar="SECONDS",
    default=PATIENCE,
    show_default=True,
    help="How long to wait.",
)
@calls_server
def send(  # noqa: PLR0913 - one parameter for each option
    *,
    agent: str,
    text: tuple[str, ...],
    conversation: str | None,
    timeout: float,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> int:
    """Send an AGENT one message and print its answer.

    The message is TEXT, or what standard input holds where TEXT is `-`.
    """
    said = sys.stdin.read() if text == ("-",) else " ".join(text)
    if not said.strip():
        raise click.UsageError("there is nothing to send: give TEXT, or `-` for standard input")
    caller = connect(url, token)
    if is_terminal() and not as_json:
        shown(Turn(caller, agent, said, conversation, timeout), _write)
        print()
        return exits.DONE
    turn = Turn(caller, agent, said, conversation, timeout, in_all=timeout)
    answer = shown(turn, _kept_back)
    if as_json:
        emit(answer)
    else:
        print(answer["text"])
    return exits.DONE


@click.command()
@click.argument("agent")
@click.option("--conversation", help="Continue this conversation.")
@click.option("--url", envvar="CAXTON_URL", help="The address of the server.")
@click.option("--token", envvar="CAXTON_API_TOKEN", help="The token of the server.")
def chat(*, agent: str, conversation: str | None, url: str | None, token: str | None) -> int:
    """Talk with an AGENT in the terminal.

    Ctrl-C cancels the answer that is coming; once more, or Ctrl-D, leaves. So do the lines /quit,
    /exit and /bye; /reset lets the conversation begin anew, /help and /? tell this. None of these
    lines is sent to the agent.
    """
    caller = connect(url, token)
    caller.call("GET", f"/agents/{segment(agent)}")
    if find_spec("readline") is not None:
        import readline  # noqa: F401 - importing it gives `input` its line editing
    if sys.stdin.isatty():
        note(f"{agent} listens; Ctrl-D leaves, /help tells more")
    leaving = False
    while True:
        answering = False
        try:
            said = _ask()
            if said is None or said.strip() in _LEAVE:
                return _left(agent, conversation)
            leaving = False
            if said.strip() in _HELP:
                note(_COMMANDS)
            elif said.strip() == _RESET:
                _reset(caller, agent, conversation)
            elif said.strip():
                answering = True
                conversation = _answered(caller, agent, said, conversation)
        except KeyboardInterrupt:
            note("" if leaving else _CANCELLED if answering else _WAYS_TO_LEAVE)
            if leaving:
                return exits.INTERRUPTED
            leaving = True


def _reset(caller: Caller, agent: str, conversation: str | None) -> None:
    """Have the agent forget what was said; nothing happens where nothing was."""
    if conversation is not None:
        path = f"/conversations/{segment(conversation)}/reset?agent={segment(agent)}"
        answer = caller.ask("POST", path)
        if answer.status not in (OK, NOT_FOUND):
            raise refusal(answer)
    note("the conversation begins anew")


def _ask() -> str | None:
    """The next thing to say; None at the end of the input."""
    try:
        return input("you> ") if sys.stdin.isatty() else _line()
    except EOFError:
        return None


def _line() -> str | None:
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None


def _answered(caller: Caller, agent: str, said: str, conversation: str | None) -> str | None:
    """Show the answer; the conversation to go on with, also after one that failed."""
    if is_terminal():
        sys.stdout.write(styled(f"{agent}> ", "cyan", sys.stdout))
    turn = Turn(caller, agent, said, conversation)
    try:
        answer = shown(turn, _write)
    except Leave as failure:
        if failure.exit_code != exits.FAILED or not sys.stdin.isatty():
            raise
        print()
        failure.show()
        return turn.conversation
    print()
    return str(answer["conversation_id"])


def _left(agent: str, conversation: str | None) -> int:
    if sys.stdin.isatty():
        print()
        if conversation is not None:
            note(f"to go on: caxton chat {agent} --conversation {conversation}")
    return exits.DONE


def _kept_back(piece: str) -> None:
    """Programs read the answer when it is whole."""


def _write(piece: str) -> None:
    sys.stdout.write(piece)
    sys.stdout.flush()
