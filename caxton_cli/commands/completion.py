"""`caxton completion SHELL`."""

import click
from click.shell_completion import get_completion_class

from caxton_cli import exits
from caxton_cli.leaving import Leave

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_CAXTON_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(*, shell: str) -> int:
    """Print the completion of a SHELL, to be sourced by it.

    bash: eval "$(caxton completion bash)" in ~/.bashrc; zsh the same in ~/.zshrc;
    fish: caxton completion fish > ~/.config/fish/completions/caxton.fish
    """
    print(script(shell), end="")
    return exits.DONE


def script(shell: str) -> str:
    """The completion script of the shell."""
    from caxton_cli.root import root

    kind = get_completion_class(shell)
    if kind is None:
        raise Leave(f"no completion for {shell}", exit_code=exits.USAGE)
    return kind(root, {}, "caxton", VARIABLE).source()
