"""Agents that a policy must refuse, each for the reasons in its name, and agents that it must not.

`malicious/default` is refused by the preset `default`, `malicious/installation` by the policy of a
strict house, `installation.toml`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from returns.result import Failure

from caxton_core.agent.policy.check import violations
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import read_policy
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.sections import Isolation
from caxton_core.agent.toml import read_agent
from caxton_core.problems import Severity

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[3]
MALICIOUS: Final = sorted((HERE / "malicious").rglob("*.toml"))
HARMLESS: Final = (
    *sorted((HERE / "harmless").glob("*.toml")),
    ROOT / "caxton_cli" / "templates" / "agent.toml",
    ROOT / "caxton_cli" / "templates" / "demo" / "greeter.toml",
)
FACTS: Final = Facts(
    providers=frozenset({"openai", "local", "elsewhere"}),
    default_provider="openai",
    servers=frozenset({"search", "crm", "files", "fetch", "mail", "memory"}),
    tools={
        "search.web": frozenset({"query"}),
        "search.admin_reset": frozenset(),
        "crm.find": frozenset({"table", "name"}),
        "files.read": frozenset({"path"}),
        "fetch.get": frozenset({"url", "method"}),
        "mail.read": frozenset({"box"}),
    },
    memory=16 << 30,
    cores=8.0,
    isolation=Isolation.PROCESS,
)


def text_of(file: Path) -> str:
    """A file of the corpus; the template's name is filled in."""
    return file.read_text("utf-8").replace("{name}", "hello")


def policy_for(file: Path) -> Policy:
    """The policy that a malicious agent meets."""
    if file.parent.name == "default":
        return Policy()
    read = read_policy((HERE / "installation.toml").read_text("utf-8"))
    assert not isinstance(read, Failure), read
    return read.unwrap().policy


def reasons(text: str, policy: Policy, facts: Facts = FACTS) -> frozenset[str]:
    """The codes of everything that refuses the agent."""
    return frozenset(_errors(text, policy, facts))


def _errors(text: str, policy: Policy, facts: Facts) -> Iterator[str]:
    read = read_agent(text)
    if isinstance(read, Failure):
        yield from (each.problem.what.code for each in read.failure().errors)
        return
    for problem in violations(read.unwrap().config, policy, facts):
        if problem.what.severity is Severity.ERROR:
            yield problem.what.code


def expected(file: Path) -> frozenset[str]:
    """The codes in the name of the file."""
    return frozenset(part.partition("-")[0] for part in file.stem.split("+"))
