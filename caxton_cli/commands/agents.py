"""Agents on the server: deployed, listed, started, stopped, deleted."""

import sys
from collections.abc import Mapping
from http.client import BAD_REQUEST, CONFLICT, CREATED
from pathlib import Path

import click

from caxton_cli import exits
from caxton_cli.agent_files import AgentFile, checked_or_leave
from caxton_cli.client import PATIENCE, Answer, Caller, calls_server, connect, refusal, segment
from caxton_cli.confirming import YES, confirm
from caxton_cli.details import details
from caxton_cli.printing import columns, emit, note, tell_problems

PAGE = 200
FIRST_OF_POLICY, LAST_OF_POLICY = "CX1321", "CX1349"
_FORCE = click.option("--force", is_flag=True, help="Drop the messages that it is answering.")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@calls_server
def deploy(*, files: tuple[Path, ...], url: str | None, token: str | None, as_json: bool) -> int:
    """Create the agents of the FILES, or replace those that exist; `-` is standard input."""
    agents = [checked_or_leave(path, as_json=as_json) for path in files]
    caller = connect(url, token)
    done = [_create_or_replace(caller, agent) for agent in agents]
    if as_json:
        emit([{"outcome": outcome, **answer.document} for outcome, answer in done])
        return exits.DONE
    for outcome, answer in done:
        print(f"{outcome} {answer.document['name']} ({answer.document['state']})")
        _tell_policy(answer)
    note(f"next: caxton chat {done[-1][1].document['name']}")
    return exits.DONE


@click.command()
@click.option("--config", "file", required=True, type=click.Path(path_type=Path), help="The file.")
@calls_server
def create(*, file: Path, url: str | None, token: str | None, as_json: bool) -> int:
    """Create an agent from a file; a name that exists is refused."""
    agent = checked_or_leave(file, as_json=as_json)
    answer = connect(url, token).ask("POST", "/agents", agent.text)
    if answer.status == CONFLICT:
        end = refusal(answer)
        end.hint = f"replace it: caxton deploy {file}"
        raise end
    if answer.status != CREATED:
        raise refusal(answer)
    if as_json:
        emit(answer.document)
    else:
        print(f"created {answer.document['name']} ({answer.document['state']})")
        _tell_policy(answer)
        note(f"next: caxton chat {answer.document['name']}")
    return exits.DONE


def _tell_policy(answer: Answer) -> None:
    """What the policy of the server warns of; the rest was told before the file was sent."""
    warnings = answer.document.get("warnings")
    for each in warnings if isinstance(warnings, list) else []:
        if FIRST_OF_POLICY <= each["code"] <= LAST_OF_POLICY:
            tell_problems(f"warning[{each['code']}]: {each['message']}")


@click.command("list")
@click.option("-q", "--quiet", is_flag=True, help="Print the names only.")
@calls_server
def list_agents(*, quiet: bool, url: str | None, token: str | None, as_json: bool) -> int:
    """List the agents."""
    agents = _all_agents(connect(url, token))
    if as_json:
        emit({"agents": agents})
    elif quiet:
        for agent in agents:
            print(agent["name"])
    elif agents:
        names = ("NAME", "STATE", "VERSION", "CAPABILITIES", "DESCRIPTION")
        columns(names, [_row(agent) for agent in agents])
    else:
        note("no agents yet; next: caxton init hello && caxton deploy hello.toml")
    return exits.DONE


@click.command()
@click.argument("agent")
@click.option("--config", "only_config", is_flag=True, help="Print the agent file only.")
@calls_server
def show(
    *, agent: str, only_config: bool, url: str | None, token: str | None, as_json: bool
) -> int:
    """Show an AGENT: its state, what it uses, what is left of its budget."""
    document = connect(url, token).call("GET", f"/agents/{segment(agent)}").document
    if as_json:
        emit(document)
    elif only_config:
        sys.stdout.write(str(document["config"]))
    else:
        for line in details(document):
            print(line)
    return exits.DONE


@click.command()
@click.argument("agent")
@calls_server
def start(*, agent: str, url: str | None, token: str | None, as_json: bool) -> int:
    """Let a stopped or failed AGENT take messages."""
    return _step(connect(url, token), agent, "start", "chat", as_json=as_json)


@click.command()
@click.argument("agent")
@_FORCE
@YES
@calls_server
def stop(
    *, agent: str, force: bool, yes: bool, url: str | None, token: str | None, as_json: bool
) -> int:
    """Let an AGENT take no more messages, until it is started again.

    The messages that it was given are answered first; with --force they are cut off.
    """
    confirm(f"stop {agent} and drop what it is answering?", yes=yes or not force)
    query = "?force=true" if force else ""
    return _step(connect(url, token), agent, f"stop{query}", "start", as_json=as_json)


@click.command()
@click.argument("agent")
@_FORCE
@calls_server
def restart(*, agent: str, force: bool, url: str | None, token: str | None, as_json: bool) -> int:
    """Let an AGENT go on in a new process, also one that has failed.

    The messages that it was given are answered all the same; with --force they are cut off.
    """
    query = "?force=true" if force else ""
    return _step(connect(url, token), agent, f"restart{query}", "chat", as_json=as_json)


@click.command()
@click.argument("agent")
@_FORCE
@YES
@calls_server
def delete(
    *, agent: str, force: bool, yes: bool, url: str | None, token: str | None, as_json: bool
) -> int:
    """Delete an AGENT and its conversations."""
    confirm(f"delete {agent}?", yes=yes)
    query = "?force=true" if force else ""
    answer = connect(url, token).ask("DELETE", f"/agents/{segment(agent)}{query}")
    if answer.status == CONFLICT and not force:
        end = refusal(answer)
        end.hint = f"drop what it is answering: caxton delete {agent} --force"
        raise end
    if answer.status >= BAD_REQUEST:
        raise refusal(answer)
    if as_json:
        emit({"deleted": agent})
    else:
        print(f"deleted {agent}")
    return exits.DONE


def _create_or_replace(caller: Caller, agent: AgentFile) -> tuple[str, Answer]:
    created = caller.ask("POST", "/agents", agent.text)
    if created.status == CREATED:
        return "created", created
    if created.status == CONFLICT:
        return "replaced", caller.call("PUT", f"/agents/{segment(agent.name)}", agent.text)
    raise refusal(created)


def _all_agents(caller: Caller) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    cursor = ""
    while True:
        page = caller.call("GET", f"/agents?limit={PAGE}{cursor}").document
        agents = page.get("agents")
        found += agents if isinstance(agents, list) else []
        if not page.get("next"):
            return found
        cursor = f"&cursor={segment(str(page['next']))}"


def _row(agent: Mapping[str, object]) -> tuple[object, ...]:
    capabilities = agent.get("capabilities")
    shown = ", ".join(map(str, capabilities)) if isinstance(capabilities, list) else ""
    return agent["name"], agent["state"], agent["version"], shown, agent["description"]


def _step(caller: Caller, agent: str, step: str, then: str, *, as_json: bool) -> int:
    document = caller.call("POST", f"/agents/{segment(agent)}/{step}", timeout=PATIENCE).document
    if as_json:
        emit(document)
    else:
        print(f"{document['name']} is {document['state']}")
        note(f"next: caxton {then} {document['name']}")
    return exits.DONE
