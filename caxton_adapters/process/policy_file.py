"""The policy's file on this machine: read where nobody but its owner and root can change it."""

import hashlib
import os
import stat
from pathlib import Path
from typing import ClassVar, TypeAlias, final

from attrs import asdict, evolve, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.process.policy_place import PolicyPlace
from caxton_adapters.process.private import WRITTEN_BY_OTHERS, divertible, steps_to
from caxton_adapters.process.refusals import Sentences
from caxton_core.agent.policy.file import InForce, built_in, read_policy
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.reading.report import Report, report
from caxton_core.reading.toml_text import SETTINGS_FILE_LIMIT, decoded


@final
@frozen
class PolicyUnreadable:
    """The file cannot be read."""

    code: ClassVar[str] = "CX2220"
    path: Path
    reason: str


@final
@frozen
class PolicyUnprotected:
    """The file can be changed by others; `fix` is what to do about it."""

    code: ClassVar[str] = "CX2221"
    path: Path
    reason: str
    fix: str


@final
@frozen
class PolicyWrong:
    """The file has problems."""

    report: Report


PolicyTrouble: TypeAlias = PolicyUnreadable | PolicyUnprotected | PolicyWrong


def read_place(place: PolicyPlace, *, guarded: bool = True) -> Result[InForce, PolicyTrouble]:
    """The policy that holds for a server; for a dry run it need not be `guarded`."""
    path = place.path
    if path is None or not (place.named or path.exists()):
        return built_in(place.environment).alt(PolicyWrong)
    return _read(path, place.environment, guarded=guarded)


def _read(path: Path, environment: str | None, *, guarded: bool) -> Result[InForce, PolicyTrouble]:
    try:
        # Whoever opens a pipe waits for its writer, unless told not to.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if guarded else 0))
        with os.fdopen(descriptor, "rb") as file:
            unfit = _unfit(path, os.fstat(descriptor)) if guarded else None
            content = file.read(SETTINGS_FILE_LIMIT + 1)
    except OSError as error:
        return Failure(PolicyUnreadable(path, error.strerror or str(error)))
    if unfit is not None:
        return Failure(unfit)
    text = decoded(content)
    if isinstance(text, Failure):
        return Failure(PolicyWrong(report([text.failure()], "", str(path))))
    read = read_policy(text.unwrap(), str(path), environment)
    if isinstance(read, Failure):
        return Failure(PolicyWrong(read.failure()))
    return Success(evolve(read.unwrap(), digest=hashlib.sha256(content).hexdigest()))


def _unfit(path: Path, known: os.stat_result) -> PolicyUnreadable | PolicyUnprotected | None:
    """Who else could change the file, or put another one in its place, anywhere on its way."""
    if not stat.S_ISREG(known.st_mode):
        return PolicyUnreadable(path, "it is not a file")
    if known.st_uid not in (0, os.geteuid()):
        reason = f"it belongs to the user {known.st_uid}"
        return PolicyUnprotected(path, reason, f"chown root {path}")
    if known.st_mode & WRITTEN_BY_OTHERS:
        reason = f"its mode is {stat.S_IMODE(known.st_mode):04o}"
        return PolicyUnprotected(path, reason, f"chmod go-w {path}")
    for step in steps_to(path):
        if os.statvfs(step.parent).f_flag & os.ST_RDONLY:  # as containers are given their settings
            continue
        unfit = divertible(step)
        if unfit is not None:
            return PolicyUnprotected(path, unfit.reason, unfit.fix)
    return None


def in_words(trouble: PolicyUnreadable | PolicyUnprotected) -> Sentences:
    """Why there is no policy, as an operator reads it."""
    explained = EXPLANATIONS[trouble.code]
    facts = asdict(trouble, recurse=False)
    return Sentences(
        trouble.code,
        explained.message.format_map(facts),
        explained.why,
        explained.advice.format_map(facts),
    )
