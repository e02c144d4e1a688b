"""Agent files of this machine before the policy that its settings name."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from caxton_cli.agent_files import Check
from caxton_cli.configured import loaded_or_leave, policy_or_leave

if TYPE_CHECKING:
    from caxton_core.agent.policy.facts import Facts
    from caxton_core.agent.policy.file import InForce
    from caxton_core.reading.report import Report


class House(NamedTuple):
    """The policy of an installation, and what its settings tell of it."""

    in_force: "InForce"
    facts: "Facts"

    def findings(self, check: Check) -> "Report | None":
        """What the policy says of a file that could be read."""
        from caxton_core.agent.policy.check import judged

        if check.agent is None:
            return None
        policy = self.in_force.policy
        return judged(check.agent.config, check.text, check.file, policy, self.facts)


def house(file: Path | None, environment: str | None, config: str | None) -> House:
    """The installation of this machine, perhaps with another policy or environment."""
    from attrs import evolve

    from caxton_adapters.process import capacity
    from caxton_adapters.process.policy_place import PolicyPlace
    from caxton_core.agent.policy.facts import Facts

    settings = loaded_or_leave(config, {}).settings
    place = settings.policy if file is None else PolicyPlace(file, settings.policy.environment)
    chosen = place if environment is None else evolve(place, environment=environment)
    default, machine = settings.default_provider, capacity.measured()
    facts = Facts(
        providers=frozenset(name.value for name in settings.providers) or None,
        default_provider=None if default is None else default.value,
        memory=machine.memory,
        cores=machine.cores,
    )
    return House(policy_or_leave(chosen, dry_run=True), facts)
