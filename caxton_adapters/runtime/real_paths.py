"""Where paths really lead on this machine, for rules about them."""

import os
from collections.abc import Collection, Mapping


def real_paths(paths: Collection[str], directory: str | None = None) -> Mapping[str, str]:
    """The paths with links followed; relative ones begin in the directory, if there is one.

    Those that cannot be followed are left out: nobody is sure of them.
    """
    found = {}
    for path in paths:
        if path.startswith("/"):
            whole = path
        elif directory is not None and not path.startswith("~"):
            whole = f"{directory}/{path}"
        else:
            continue
        try:
            found[path] = os.path.realpath(whole)
        except (OSError, ValueError):
            continue
    return found
