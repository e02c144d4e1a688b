"""The entry point: looks at the arguments before it imports anything that costs time."""

import os
import sys

from caxton_cli import exits
from caxton_cli.version import VERSION

_VERSION_WORDS = (["version"], ["--version"], ["-V"])


def main() -> int:
    """Run the command that the arguments name; its exit code."""
    arguments = sys.argv[1:]
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`caxton list | head -1`): nothing to tell anyone any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.FAILED
    return code


def _run(arguments: list[str]) -> int:
    if arguments in _VERSION_WORDS:
        print(f"caxton {VERSION}")
        return exits.DONE
    if arguments[:2] == ["server", "status"] and arguments[2:] in ([], ["--json"]):
        from caxton_cli.status import lean_status

        return lean_status(os.environ, as_json=bool(arguments[2:]))
    from caxton_cli.root import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
