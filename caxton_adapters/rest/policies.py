"""The policy of the installation: shown, and read again."""

import logging
from collections.abc import Callable
from typing import Final, TypeAlias, final

import anyio
from anyio import to_thread
from attrs import field, frozen
from msgspec import structs
from returns.result import Failure, Result, Success

from caxton_adapters.process.policy_file import (
    PolicyTrouble,
    PolicyUnprotected,
    PolicyUnreadable,
    PolicyWrong,
    in_words,
    read_place,
)
from caxton_adapters.process.policy_place import PolicyPlace
from caxton_adapters.rest import problem
from caxton_adapters.rest.changes import Hashed, hash_of_table
from caxton_adapters.rest.placed import error_items, items_in, unplaced
from caxton_adapters.rest.problem import ErrorItem, Refused
from caxton_adapters.rest.wire import (
    PolicyBody,
    PolicyReloaded,
    PolicyScalar,
    PolicyValue,
    Violation,
)
from caxton_adapters.runtime.policing import Policing
from caxton_adapters.runtime.rulebook import ServerRules
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.views import AgentView
from caxton_core.agent.policy.doubts import doubts
from caxton_core.agent.policy.file import BUILT_IN, InForce, values_of
from caxton_core.primitives import Duration
from caxton_core.reading.report import Report, report

WrongSettings: TypeAlias = tuple[Report, ...] | str


@final
@frozen
class Written:
    """What the settings say now: the rules for calls, and where the policy is."""

    rules: ServerRules
    place: PolicyPlace


@final
@frozen
class ReadAgain:
    """Reads what can change while the server runs: the policy, and the rules of the settings.

    The policy is read from its `place`, whatever the settings name meanwhile.
    """

    place: PolicyPlace
    settings: Callable[[], Result[Written, WrongSettings]]


_LOG: Final = logging.getLogger("caxton.policy")
_NONE: Final = Refused(404, problem.UNKNOWN_PATH, "This server holds its agents to no policy.")


@final
@frozen
class Policies:
    """The resource `/policy`; `again` reads its file anew."""

    runtime: Runtime
    again: ReadAgain | None
    _reloading: anyio.Lock = field(factory=anyio.Lock, init=False)

    def show(self) -> Result[PolicyBody, Refused]:
        """The policy in force."""
        policing = self.runtime.policing
        if policing is None:
            return Failure(_NONE)
        return Success(_body(policing.in_force, self._doubts(policing)))

    async def reload(
        self,
        about: Callable[..., object] = lambda *_: None,
        changed: Callable[[Hashed, Hashed], object] = lambda *_: None,
    ) -> Result[PolicyReloaded, Refused]:
        """Put the policy and the rules for calls in force as they are written now, or neither.

        `about` is told which policy was put in force, `changed` what it and the rules replaced.
        """
        policing = self.runtime.policing
        if policing is None or self.again is None:
            return Failure(_NONE)
        async with self._reloading:
            place = self.again.place
            read = await to_thread.run_sync(read_place, place)
            if isinstance(read, Failure):
                return _kept(_refused(read.failure()))
            settings = await to_thread.run_sync(self.again.settings)
            if isinstance(settings, Failure):
                return _kept(_wrong_settings(settings.failure()))
            written, fresh = settings.unwrap(), read.unwrap()
            moved = None if written.place == place else written.place.shown
            about(fresh.file, fresh.digest or BUILT_IN)
            before = _hashes(policing.in_force, self._rules)
            put = await self._put_in_force(policing, fresh, written.rules)
            changed(before, _hashes(fresh, written.rules))
            return Success(structs.replace(put, after_restart=moved))

    async def _put_in_force(
        self, policing: Policing, fresh: InForce, rules: ServerRules
    ) -> PolicyReloaded:
        changed, rules_changed = fresh.policy != policing.policy, rules != self._rules
        policing.in_force = fresh
        self.runtime.world.rulebook.adopt(server=rules, policy=fresh.policy.permissions)
        violating = tuple(map(_violation, await self.runtime.hold_to_policy()))
        _LOG.info("policy reloaded from %s; %d agents violate it", fresh.file, len(violating))
        return PolicyReloaded(
            fresh.file,
            fresh.environment,
            fresh.digest or None,
            fresh.policy.preset.value,
            changed,
            rules_changed,
            violating,
            self._doubts(policing),
        )

    @property
    def _rules(self) -> ServerRules:
        book = self.runtime.world.rulebook
        return ServerRules(book.server.rules, book.patience)

    def _doubts(self, policing: Policing) -> tuple[ErrorItem, ...]:
        """What deserves a look in the rules for calls of the settings."""
        found = report(doubts(self._rules.permissions, policing.facts()), "", "caxton.toml")
        return unplaced(found.warnings)


def _hashes(in_force: InForce, rules: ServerRules) -> Hashed:
    """The hash of the policy's file, and that of `[permissions]` as the settings are shown."""
    permissions = {
        "allow": list(map(str, rules.permissions.allow)),
        "ask": list(map(str, rules.permissions.ask)),
        "deny": list(map(str, rules.permissions.deny)),
        "timeout": str(Duration(rules.patience)),
    }
    return {
        "policy": f"sha256:{in_force.digest}" if in_force.digest else None,
        "permissions": hash_of_table(permissions),
    }


def _body(in_force: InForce, warnings: tuple[ErrorItem, ...]) -> PolicyBody:
    values = tuple(
        PolicyValue(
            ".".join(map(str, path)),
            _written(path[0], value),
            in_force.sources.get(path, BUILT_IN),
        )
        for path, value in values_of(in_force.policy)
    )
    preset = in_force.policy.preset.value
    digest = in_force.digest or None
    return PolicyBody(in_force.file, in_force.environment, digest, preset, values, warnings)


def _written(table: str | int, value: object) -> PolicyScalar | tuple[PolicyScalar, ...]:
    """The value as JSON; a list of permissions that is empty is one that nobody wrote."""
    if isinstance(value, list):
        items = tuple(str(item) for item in value)
        return None if table == "permissions" and not items else items
    return value if isinstance(value, str | int | float) else None


def _violation(agent: AgentView) -> Violation:
    errors = () if agent.findings is None else error_items(agent.findings.errors)
    return Violation(agent.name.value, agent.state.value, errors)


def _kept(refused: Refused) -> Failure[Refused]:
    """Nothing changes, and the log says so too."""
    _LOG.warning("the policy was not reloaded: %s", refused.detail)
    return Failure(refused)


def _wrong_settings(why: WrongSettings) -> Refused:
    detail = "The settings have problems; the rules for calls stay as they were."
    if isinstance(why, str):
        return Refused(422, "CX4061", f"{detail} {why}")
    placed = tuple(item for report in why for item in items_in(report))
    return Refused(422, "CX4061", detail, placed)


def _refused(trouble: PolicyTrouble) -> Refused:
    match trouble:
        case PolicyWrong(report):
            detail = "The policy has problems; the one before stays in force."
            return Refused(422, "CX4061", detail, items_in(report))
        case PolicyUnreadable() | PolicyUnprotected():
            words = in_words(trouble)
            item = ErrorItem(code=words.code, message=words.what, why=words.why, help=words.advice)
            detail = f"The policy before stays in force: {words.what}."
            return Refused(422, "CX4061", detail, (item,))
