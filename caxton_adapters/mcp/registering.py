"""Registrations that come through the API: read like those of the settings, and kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from returns.result import Failure, Result, Success

from caxton_adapters.mcp.references import references
from caxton_adapters.mcp.registration import Registration, broken_rules
from caxton_adapters.runtime.toolbox import BadRegistration
from caxton_core.primitives import JsonObject, ServerName
from caxton_core.problems import Problem
from caxton_core.reading.report import report
from caxton_core.reading.tables import read
from caxton_core.reading.written import toml_text
from caxton_core.storage import NotStored


class Registrations(Protocol):
    """Where registrations are kept that came through the API."""

    async def save(self, name: str, registration: JsonObject) -> Result[None, NotStored]:
        """Store the registration in place of what was stored under its name."""
        ...

    async def remove(self, name: str) -> Result[None, NotStored]:
        """Forget a registration."""
        ...

    async def stored(self) -> Sequence[tuple[str, JsonObject]]:
        """Every registration, by name."""
        ...


def registration(
    name: str, table: Mapping[str, object], others: Mapping[str, object]
) -> Result[tuple[ServerName, Registration], BadRegistration]:
    """The table as a registration, or everything that is wrong with it."""
    server, written = ServerName.parse(name), read(Registration, table)
    problems: list[Problem] = []
    if isinstance(server, Failure):
        problems.append(Problem((), server.failure()))
    if isinstance(written, Failure):
        problems += written.failure()
    else:
        problems += broken_rules(name, written.unwrap(), others)
    if isinstance(server, Failure) or isinstance(written, Failure) or problems:
        return Failure(_bad(name, table, problems))
    return Success((server.unwrap(), written.unwrap()))


def fresh_registration(
    name: str, table: Mapping[str, object], others: Mapping[str, object]
) -> Result[tuple[ServerName, Registration], BadRegistration]:
    """A table that is to be kept: it has values, and no references to any."""
    found = tuple(references(table))
    return Failure(_bad(name, table, found)) if found else registration(name, table, others)


def _bad(name: str, table: Mapping[str, object], problems: Iterable[Problem]) -> BadRegistration:
    return BadRegistration(report(problems, toml_text(table), f"mcp.servers.{name}"))
