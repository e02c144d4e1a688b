"""A server of tools that is not there is told once, however often a file names it."""

from returns.result import Success

from caxton_core.agent.policy.check import violations
from caxton_core.agent.policy.doubts import doubts
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import read_policy
from caxton_core.agent.sections import Permissions
from caxton_core.agent.toml import read_agent
from caxton_core.primitives import PermissionRule
from caxton_core.problems import Path, Problem

AGENT = """
name = "clerk"
capabilities = ["filing"]
system_prompt = "You file."
tools = ["mail.read", "mail.send", "notes.*", "files.read"]
[permissions]
allow = ["mail.read", "files.read"]
ask = ["mail.send", "notes.write"]
"""
FACTS = Facts(servers=frozenset({"files"}))


def mentioned(problems: tuple[Problem, ...]) -> list[Path]:
    return [each.at for each in problems if each.what.code == "CX1328"]


def test_each_is_told_where_an_agent_names_it_first() -> None:
    policy, agent = read_policy("[tools]\nunknown_servers = 'warning'\n"), read_agent(AGENT)
    assert isinstance(policy, Success)
    assert isinstance(agent, Success)
    found = violations(agent.unwrap().config, policy.unwrap().policy, FACTS)
    assert mentioned(tuple(found)) == [("tools", 0), ("tools", 2)]


def test_each_is_told_where_the_settings_name_it_first() -> None:
    rules = tuple(map(PermissionRule, ("mail.read", "files.read", "mail.send")))
    found = doubts(Permissions(deny=rules, ask=rules), FACTS)
    assert mentioned(tuple(found)) == [("permissions", "ask", 0)]
