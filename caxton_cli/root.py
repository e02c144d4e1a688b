"""The table of commands."""

import sys

import click

from caxton_cli import exits
from caxton_cli.lazy import Entry, LazyGroup
from caxton_cli.leaving import Leave
from caxton_cli.terminal import guarded
from caxton_cli.version import VERSION

_AGENTS = "caxton_cli.commands.agents"
_BACKUP = "caxton_cli.commands.backup"
_FILES = "caxton_cli.commands.files"
_SERVER = "caxton_cli.commands.server"
_TALK = "caxton_cli.commands.talk"

COMMANDS = {
    "demo": Entry("caxton_cli.commands.demo:demo", "See an agent answer, from nothing."),
    "init": Entry(f"{_FILES}:init", "Write an agent file to start from."),
    "validate": Entry(f"{_FILES}:validate", "Check agent files, without a server."),
    "deploy": Entry(f"{_AGENTS}:deploy", "Create agents from files, or replace them."),
    "create": Entry(f"{_AGENTS}:create", "Create an agent from a file."),
    "list": Entry(f"{_AGENTS}:list_agents", "List the agents."),
    "show": Entry(f"{_AGENTS}:show", "Show an agent."),
    "chat": Entry(f"{_TALK}:chat", "Talk with an agent in the terminal."),
    "send": Entry(f"{_TALK}:send", "Send one message and print the answer."),
    "start": Entry(f"{_AGENTS}:start", "Let an agent take messages."),
    "stop": Entry(f"{_AGENTS}:stop", "Let an agent take no more messages."),
    "restart": Entry(f"{_AGENTS}:restart", "Let an agent go on in a new process."),
    "delete": Entry(f"{_AGENTS}:delete", "Delete an agent."),
    "logs": Entry("caxton_cli.commands.logs:agent_logs", "Print what the log says about an agent."),
    "conversations": Entry(
        "caxton_cli.commands.conversations:conversations", "Look after what was said."
    ),
    "approvals": Entry(
        "caxton_cli.commands.approvals:approvals", "Answer for calls that wait for a person."
    ),
    "messages": Entry("caxton_cli.commands.messages:messages", "Look after messages."),
    "memory": Entry("caxton_cli.commands.memory:memory", "Look after what agents remember."),
    "tools": Entry(
        "caxton_cli.commands.tools:tools", "Look after the tools that agents can be granted."
    ),
    "mcp": Entry("caxton_cli.commands.mcp:mcp", "Look after the servers of tools (MCP)."),
    "providers": Entry("caxton_cli.commands.providers:providers", "List the model providers."),
    "tokens": Entry("caxton_cli.commands.tokens:tokens", "Look after who may ask, and for what."),
    "health": Entry("caxton_cli.commands.health:health", "Show how the server does, for probes."),
    "server": Entry("caxton_cli.root:server", "Start, stop and look after the server."),
    "backup": Entry(f"{_BACKUP}:backup", "Copy all that the server keeps into a file."),
    "verify": Entry(f"{_BACKUP}:verify", "Check a backup, or the server's database."),
    "restore": Entry(f"{_BACKUP}:restore", "Put a backup in the place of the database."),
    "config": Entry("caxton_cli.commands.config:config", "Show the server's settings."),
    "policy": Entry("caxton_cli.commands.policy:policy", "Look after the rules over agents."),
    "doctor": Entry("caxton_cli.commands.doctor:doctor", "Look for what would be in the way."),
    "explain": Entry(f"{_FILES}:explain", "Explain the code of a problem."),
    "schema": Entry(f"{_FILES}:schema", "Print the schema of agent files."),
    "completion": Entry("caxton_cli.commands.completion:completion", "Print shell completion."),
    "version": Entry("caxton_cli.commands.version:version", "Print the version."),
}

SERVER_COMMANDS = {
    "start": Entry(f"{_SERVER}:start", "Start the server; return when it answers."),
    "stop": Entry(f"{_SERVER}:stop", "Stop the server when it has finished its work."),
    "status": Entry(f"{_SERVER}:status", "Show whether the server is running."),
    "logs": Entry("caxton_cli.commands.logs:logs", "Print the server's log."),
    "run": Entry(f"{_SERVER}:run", "Run the server in this terminal."),
}

_EPILOG = (
    "Exit codes: "
    + "; ".join(f"{code} {meaning}" for code, meaning in exits.MEANINGS.items())
    + "."
)
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

server = LazyGroup("server", SERVER_COMMANDS, help="Start, stop and look after the server.")
root = LazyGroup(
    "caxton",
    COMMANDS,
    help="Caxton runs agents: what Redis is for data, Caxton is for agents.",
    epilog=_EPILOG,
    context_settings=_CONTEXT,
)
click.version_option(VERSION, "-V", "--version", message="caxton %(version)s")(root)


def run(arguments: list[str]) -> int:
    """Run the command that the arguments name; its exit code."""
    sys.stdout, sys.stderr = guarded(sys.stdout), guarded(sys.stderr)
    try:
        code = root.main(arguments, prog_name="caxton", standalone_mode=False)
    except Leave as leave:
        leave.show()
        return leave.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return exits.USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return exits.INTERRUPTED
    return code if isinstance(code, int) else exits.DONE
