"""`caxton doctor`: looks at everything that could be in the way of a first answer."""

import os
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, final

import click

from caxton_cli import exits, places
from caxton_cli.client import calls_server, connect, warnings_of
from caxton_cli.configured import loaded_or_leave, policy_or_leave
from caxton_cli.leaving import Leave
from caxton_cli.printing import emit, styled
from caxton_cli.version import VERSION

if TYPE_CHECKING:
    from caxton_adapters.process.refusals import StartRefusal
    from caxton_adapters.settings import Settings

OLDEST_PYTHON = (3, 11)
_CHANGED_BY_OTHERS = 0o022
_NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs")


@final
class Verdict(Enum):
    """What a finding means for whoever wants an answer."""

    GOOD = "ok"
    NOTICE = "note"
    BAD = "bad"


class Finding(NamedTuple):
    """One thing that was looked at, and what to do about it where something is to be done."""

    subject: str
    verdict: Verdict
    says: str
    advice: str = ""


_COLOURS = {Verdict.GOOD: "green", Verdict.NOTICE: "yellow", Verdict.BAD: "red"}


@click.command()
@calls_server
def doctor(*, url: str | None, token: str | None, as_json: bool) -> int:
    """Look for what would be in the way: settings, directory, server, providers."""
    findings = list(_findings(url, token))
    if as_json:
        emit([{**one._asdict(), "verdict": one.verdict.value} for one in findings])
    else:
        for one in findings:
            label = styled(f"{one.verdict.value:<4}", _COLOURS[one.verdict], sys.stdout)
            print(f"{label} {one.subject}: {one.says}")
            if one.advice:
                print(f"     {one.advice}")
    healthy = all(one.verdict is not Verdict.BAD for one in findings)
    return exits.DONE if healthy else exits.FAILED


def _findings(url: str | None, token: str | None) -> Iterator[Finding]:
    yield _python()
    loaded = loaded_or_leave(None, {})
    settings = loaded.settings
    yield Finding("settings", Verdict.GOOD, "readable and consistent")
    yield _policy(settings)
    yield from _changeable(sorted(set(loaded.sources.values())))
    yield from _directory(settings.server.data_dir)
    yield from _changeable([str(settings.server.data_dir)])
    yield _default_provider(settings)
    yield from _scenarios(settings)
    yield _tool_lock(settings)
    yield from _reach(settings)
    yield from _server(url, token)


def _python() -> Finding:
    says = f"Python {sys.version.split()[0]}, caxton {VERSION}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("versions", Verdict.BAD, says, "caxton needs Python 3.11 or newer")
    return Finding("versions", Verdict.GOOD, says)


def _policy(settings: "Settings") -> Finding:
    try:
        in_force = policy_or_leave(settings.policy)
    except Leave as leave:
        return Finding("policy", Verdict.BAD, leave.message, leave.hint)
    where = f", environment {in_force.environment}" if in_force.environment else ""
    says = f"{in_force.file}: preset {in_force.policy.preset.value}{where}"
    return Finding("policy", Verdict.GOOD, says)


def _directory(directory: Path) -> Iterator[Finding]:
    from returns.result import Failure

    from caxton_adapters.process.private import make_directory
    from caxton_adapters.process.refusals import in_words

    made = make_directory(directory)
    if isinstance(made, Failure):
        sentences = in_words(made.failure())
        yield Finding("data directory", Verdict.BAD, sentences.what, sentences.advice)
        return
    yield Finding("data directory", Verdict.GOOD, f"{directory} takes files")
    kind = _file_system(directory)
    if kind in _NETWORK_FILE_SYSTEMS:
        yield Finding(
            "file system",
            Verdict.BAD,
            f"{directory} is on {kind}, where locks cannot be relied on",
            "use a directory of this machine: --data-dir, CAXTON_DATA_DIR",
        )


def _changeable(paths: list[str]) -> Iterator[Finding]:
    """What other users of the machine may change: where keys are sent, what is kept."""
    for path in map(Path, paths):
        if path.exists() and path.stat().st_mode & _CHANGED_BY_OTHERS:
            yield Finding(
                "permissions",
                Verdict.NOTICE,
                f"{path} can be changed by other users of this machine",
                f"take that from them: chmod go-w {path}",
            )


def _file_system(directory: Path) -> str:
    """The kind of file system that holds the directory, where Linux tells it."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return ""
    around = {str(path) for path in (directory, *directory.parents)}
    holding = [mount for mount in mounts if mount[1] in around]
    return max(holding, key=lambda mount: len(mount[1]))[2] if holding else ""


def _default_provider(settings: "Settings") -> Finding:
    from caxton_cli.commands.providers import NONE_CONFIGURED

    name = settings.default_provider
    if name is None and settings.providers:
        known = ", ".join(provider.value for provider in settings.providers)
        return Finding(
            "default provider",
            Verdict.NOTICE,
            "none: agents must name theirs",
            f'write default_provider = "..." with one of: {known}',
        )
    if name is None:
        what, *ways = NONE_CONFIGURED.splitlines()
        return Finding("default provider", Verdict.BAD, what, "\n     ".join(ways))
    source = settings.providers[name].key_source
    key = f"key from {source}" if source else "no key"
    return Finding("default provider", Verdict.GOOD, f"{name.value} ({key})")


def _scenarios(settings: "Settings") -> Iterator[Finding]:
    """Scenarios of providers that keep a server from starting."""
    from returns.result import Failure

    from caxton_adapters.process.refusals import ScenarioUnusable
    from caxton_adapters.providers.catalogue import scenarios_of
    from caxton_adapters.settings.parts import provider_settings

    read = scenarios_of(provider_settings(settings))
    for each in read.failure() if isinstance(read, Failure) else ():
        refusal = ScenarioUnusable(each.provider.value, each.path, each.reason)
        yield _keeps_from_starting("scenario", refusal)


def _tool_lock(settings: "Settings") -> Finding:
    from returns.result import Failure

    from caxton_adapters.clock import SystemClock
    from caxton_adapters.mcp.lock import open_lock
    from caxton_adapters.process.refusals import ToolLockUnusable
    from caxton_core.reading.report import human

    path = settings.tool_lock
    opened = open_lock(path, SystemClock(), _unheard)
    if isinstance(opened, Failure):
        why = human(opened.failure().report)
        return _keeps_from_starting("approved tools", ToolLockUnusable(path, why))
    says = f"{path} can be read" if path.exists() else "none so far"
    return Finding("approved tools", Verdict.GOOD, says)


def _reach(settings: "Settings") -> Iterator[Finding]:
    """Whether the server may listen where it would, and what it shows to its clients."""
    from returns.result import Failure

    from caxton_adapters.process.certificate import Doubt, read
    from caxton_adapters.process.server_process import exposure

    exposed = exposure(settings.wanted())
    if exposed is not None:
        yield _keeps_from_starting("address", exposed)
    place = settings.server.certificate
    if place is None:
        return
    pair = read(place)
    if isinstance(pair, Failure):
        yield _keeps_from_starting("certificate", pair.failure())
        return
    holds = pair.unwrap().holds
    if isinstance(holds, Doubt):
        advice = "put another one in its place; a server that runs takes it over by itself"
        yield Finding("certificate", Verdict.BAD, f"{place.certificate}: {holds.why}", advice)
    else:
        says = f"{place.certificate} holds until {holds.ends.isoformat()}"
        yield Finding("certificate", Verdict.GOOD, says)


def _unheard(event: str, **facts: object) -> None:
    """What a lock would tell a server that uses it."""
    del event, facts


def _keeps_from_starting(subject: str, refusal: "StartRefusal") -> Finding:
    from caxton_adapters.process.refusals import in_words

    words = in_words(refusal)
    return Finding(subject, Verdict.BAD, f"{words.what} [{words.code}]", words.advice)


def _server(url: str | None, token: str | None) -> Iterator[Finding]:
    caller = connect(url, token)
    try:
        health = caller.ask("GET", "/health").document
    except Leave as leave:
        directory = places.data_dir(os.environ)
        stuck = places.is_locked(directory)
        says = "holds its directory and does not answer" if stuck else leave.message
        yield Finding("server", Verdict.NOTICE, says, leave.hint)
        return
    served = f"{caller.url}: {health.get('status')}, version {health.get('version') or 'hidden'}"
    yield Finding("server", Verdict.GOOD, served)
    reasons = health.get("reasons")
    for reason in reasons if isinstance(reasons, list) else []:
        yield Finding("server", Verdict.NOTICE, str(reason), "more about it: caxton health")
    answer = caller.ask("GET", "/providers", timeout=60.0)
    found = answer.document.get("providers")
    for one in found if isinstance(found, list) else []:
        yield _provider(one)
    servers = caller.ask("GET", "/mcp/servers").document.get("servers")
    for one in servers if isinstance(servers, list) else []:
        yield _tool_server(one)
    for one in warnings_of(caller.ask("GET", "/policy").document):
        says = f"{one['at']}: {one['message']} [{one['code']}]"
        yield Finding("rules for calls", Verdict.NOTICE, says, str(one.get("help") or ""))


def _provider(one: dict[str, object]) -> Finding:
    subject = f"provider {one['name']}"
    if one.get("healthy"):
        says = "answers and accepts our key" if one.get("base_url") else "answers"
        return Finding(subject, Verdict.GOOD, says)
    problem = one.get("problem")
    says = str(problem.get("detail")) if isinstance(problem, dict) else "does not answer"
    return Finding(subject, Verdict.BAD, says)


def _tool_server(one: dict[str, object]) -> Finding:
    """A server of tools as its last connection met it; none is begun for the sake of this."""
    subject, state = f"server of tools {one['name']}", str(one["state"])
    if state == "waiting":
        advice = f"try it: caxton mcp test {one['name']}"
        return Finding(
            subject, Verdict.NOTICE, str(one.get("reason") or "cannot be reached"), advice
        )
    says = f"{state}, {one['tools']} tools" if one.get("tools") is not None else state
    return Finding(subject, Verdict.GOOD, says)
