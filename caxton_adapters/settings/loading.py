"""Settings from flags, environment and files, strongest first; or every problem in all of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilesystemPath
from typing import Final, TypeAlias, final

from attrs import field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.process.refusals import SettingsUnreadable
from caxton_adapters.setting_values import Substituted
from caxton_adapters.settings.building import built
from caxton_adapters.settings.layers import (
    Layer,
    layer_of_environment,
    layer_of_file,
    layer_of_flags,
    leaves,
    merged,
)
from caxton_adapters.settings.substitution import (
    substituted,
    substitutions,
    unset_variables,
    without_values,
)
from caxton_adapters.settings.values import Settings
from caxton_adapters.settings.written import SettingsFile
from caxton_core.agent.policy.file import nothing_allowed
from caxton_core.problems import Path, Problem
from caxton_core.reading.report import Report, report
from caxton_core.reading.tables import read
from caxton_core.reading.toml_text import decoded, parse_toml
from caxton_core.reading.written import toml_value

ENVIRONMENT: Final = "environment"
COMMAND_LINE: Final = "command line"


@final
@frozen(kw_only=True)
class Surroundings:
    """What settings are made from; a `named_file` takes the place of the first usual one.

    `usual_policy` is the file of the policy where none is named.
    """

    flags: Mapping[str, object]
    environ: Mapping[str, str]
    named_file: str | None
    usual_files: tuple[str, ...]
    default_data_dir: str
    usual_policy: str = ""


@final
@frozen
class Loaded:
    """Settings, as they were written, and the name of the place where each of them stands.

    `substituted` are the texts with variables in them.
    """

    settings: Settings
    written: SettingsFile
    sources: Mapping[Path, str]
    substituted: Mapping[Path, Substituted] = field(factory=dict)


@final
@frozen
class InvalidSettings:
    """Settings with problems; a report for each place that has some."""

    reports: tuple[Report, ...]


@final
@frozen
class _Place:
    """A layer as its author sees it: a name, a text, and how the text names each value.

    `substituted` are its texts with variables in them.
    """

    layer: Layer
    name: str
    text: str
    problems: tuple[Problem, ...] = ()
    substituted: Mapping[Path, Substituted] = field(factory=dict)

    def report(self, problems: tuple[Problem, ...]) -> Report:
        shown = (without_values(each, self.substituted.values()) for each in problems)
        return report((*self.problems, *shown), self.text, self.name)


LoadResult: TypeAlias = Result[Loaded, SettingsUnreadable | InvalidSettings]


def load(surroundings: Surroundings) -> LoadResult:
    """The settings that hold here."""
    files = _files(surroundings)
    if isinstance(files, Failure):
        return files
    places = [
        *files.unwrap(),
        _written_elsewhere(layer_of_environment(surroundings.environ), ENVIRONMENT),
        _written_elsewhere(layer_of_flags(surroundings.flags), COMMAND_LINE),
    ]
    reports = tuple(place.report(_problems_of(place)) for place in places)
    wrong = tuple(each for each in reports if each.placed)
    if wrong:
        return Failure(InvalidSettings(wrong))
    return _complete(places, surroundings)


def _files(surroundings: Surroundings) -> Result[list[_Place], SettingsUnreadable]:
    """The settings files, the weakest first."""
    first, *others = surroundings.usual_files
    named = surroundings.named_file
    places: list[_Place] = []
    for name in reversed([named or first, *others]):
        path = FilesystemPath(name).expanduser()
        if name != named and not path.exists():
            continue
        try:
            places.append(_file(name, path.read_bytes(), surroundings.environ))
        except OSError as error:
            return Failure(SettingsUnreadable(path, error.strerror or str(error)))
    return Success(places)


def _file(name: str, content: bytes, environ: Mapping[str, str]) -> _Place:
    text = decoded(content)
    if isinstance(text, Failure):
        return _Place(layer_of_file(name, {}), name, "", (text.failure(),))
    table = parse_toml(text.unwrap())
    if isinstance(table, Failure):
        return _Place(layer_of_file(name, {}), name, text.unwrap(), (table.failure(),))
    unset = tuple(unset_variables(table.unwrap(), environ))
    layer = layer_of_file(name, substituted(table.unwrap(), environ))
    with_variables = dict(substitutions(table.unwrap(), environ))
    return _Place(layer, name, text.unwrap(), unset, with_variables)


def _written_elsewhere(layer: Layer, name: str) -> _Place:
    """A layer that is no file, as the file that it would be: its own names before the values."""
    lines = [f"{layer.names[path]} = {toml_value(value)}" for path, value in leaves(layer.table)]
    return _Place(layer, name, "\n".join(lines))


def _problems_of(place: _Place) -> tuple[Problem, ...]:
    result = read(SettingsFile, place.layer.table)
    wrong = result.failure() if isinstance(result, Failure) else ()
    told = {problem.at for problem in place.problems}
    found = (*wrong, *nothing_allowed(place.layer.table))
    others = (problem for problem in found if problem.at not in told)
    return tuple(_as_named_by(place, problem) for problem in others)


def _as_named_by(place: _Place, problem: Problem) -> Problem:
    if place.name not in (ENVIRONMENT, COMMAND_LINE):
        return problem
    names = place.layer.names
    own = [names[path] for path in names if problem.at[: len(path)] == path]
    return Problem((own[0],), problem.what) if own else problem


def _complete(places: list[_Place], surroundings: Surroundings) -> LoadResult:
    whole = merged(place.layer for place in places)
    written = read(SettingsFile, whole.table)
    if isinstance(written, Failure):
        return _invalid(places, written.failure())
    data_dir = FilesystemPath(surroundings.default_data_dir)
    usual = surroundings.usual_policy
    found = dict(_substituted(places, whole.names))
    settings = built(written.unwrap(), surroundings.environ, data_dir, usual, found)
    if isinstance(settings, Failure):
        return _invalid(places, settings.failure())
    return Success(Loaded(settings.unwrap(), written.unwrap(), whole.names, found))


def _substituted(
    places: list[_Place], names: Mapping[Path, str]
) -> Iterator[tuple[Path, Substituted]]:
    """The texts with variables in them, of those that hold; a list is one value."""
    for place in places:
        for path, each in place.substituted.items():
            whole = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in names or not n)
            if names.get(whole) == place.name:
                yield path, each


def _invalid(places: list[_Place], problems: tuple[Problem, ...]) -> Failure[InvalidSettings]:
    """Rules across settings, told at the strongest place that has a part in them."""
    by_place: dict[int, list[Problem]] = {}
    for problem in problems:
        by_place.setdefault(_home_of(problem, places), []).append(problem)
    return Failure(InvalidSettings(tuple(_reports(places, by_place))))


def _reports(places: list[_Place], by_place: Mapping[int, list[Problem]]) -> Iterator[Report]:
    for index, problems in by_place.items():
        place = places[index]
        yield place.report(tuple(_as_named_by(place, problem) for problem in problems))


def _home_of(problem: Problem, places: list[_Place]) -> int:
    """The place of a problem; what no layer wrote came from the environment (a key, an address)."""
    for index, place in reversed(list(enumerate(places))):
        if any(problem.at == path[: len(problem.at)] for path in place.layer.names):
            return index
    return len(places) - 2
