"""The server's settings for the commands that need them, or the end of the command."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from caxton_cli import exits, places
from caxton_cli.leaving import Leave

if TYPE_CHECKING:
    from caxton_adapters.process.policy_place import PolicyPlace
    from caxton_adapters.process.refusals import Sentences
    from caxton_adapters.settings import Loaded, Settings, Surroundings
    from caxton_core.agent.policy.file import InForce

SETTINGS_HAVE_PROBLEMS = "the settings have problems"
POLICY_HAS_PROBLEMS = "the policy has problems"


def settings_or_leave(config: str | None, flags: Mapping[str, object]) -> "Settings":
    """The settings as flags, environment and files give them together."""
    return loaded_or_leave(config, flags).settings


def loaded_or_leave(config: str | None, flags: Mapping[str, object]) -> "Loaded":
    """The settings with the place where each of them was written."""
    from returns.result import Failure

    from caxton_adapters.process.refusals import SettingsUnreadable, in_words
    from caxton_adapters.settings import load

    loaded = load(surroundings(config, flags))
    if not isinstance(loaded, Failure):
        return loaded.unwrap()
    problem = loaded.failure()
    if isinstance(problem, SettingsUnreadable):
        raise refused(in_words(problem))
    from caxton_core.reading.report import human

    raise Leave(
        SETTINGS_HAVE_PROBLEMS,
        problems="\n".join(human(each) for each in problem.reports),
        exit_code=exits.INVALID,
        hint="caxton config show --sources tells where each setting comes from",
    )


def surroundings(config: str | None, flags: Mapping[str, object]) -> "Surroundings":
    """Where the settings are written."""
    from caxton_adapters.settings import Surroundings

    return Surroundings(
        flags={name: value for name, value in flags.items() if value is not None},
        environ=os.environ,
        named_file=config or os.environ.get("CAXTON_CONFIG"),
        usual_files=tuple(places.config_files(os.environ)),
        default_data_dir=places.default_data_dir(os.environ),
        usual_policy=places.policy_file(os.environ),
    )


def policy_or_leave(place: "PolicyPlace", *, dry_run: bool = False) -> "InForce":
    """The policy of the installation; for a `dry_run` it need not be protected."""
    from returns.result import Failure

    from caxton_adapters.process.policy_file import PolicyWrong, in_words, read_place
    from caxton_core.reading.report import human

    read = read_place(place, guarded=not dry_run)
    if not isinstance(read, Failure):
        return read.unwrap()
    trouble = read.failure()
    if isinstance(trouble, PolicyWrong):
        raise Leave(POLICY_HAS_PROBLEMS, problems=human(trouble.report), exit_code=exits.INVALID)
    words = in_words(trouble)
    what = f"{words.what}\n  {words.why}"
    raise Leave(what, exit_code=exits.INVALID, code=words.code, hint=words.advice)


def refused(sentences: "Sentences") -> Leave:
    """The end of a command whose server cannot start."""
    return Leave(
        f"{sentences.what}\n  {sentences.why}",
        exit_code=exits.CANNOT_START,
        code=sentences.code,
        hint=sentences.advice,
    )
