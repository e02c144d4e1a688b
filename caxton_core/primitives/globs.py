"""What the globs of permissions may be, so that nobody has to guess their meaning."""

from typing import Final

from caxton_core.primitives.addresses import address_glob, is_like_an_address
from caxton_core.problems import Malformed, ValueProblem

_SUBJECT: Final = "a permission"
_ADDRESS: Final = (
    "`scheme://host:port/path`; wildcards in the path, or host `*` or `*.name`; "
    "no `?`, `#`, `@`, `..`"
)
_FILE: Final = "a path, `/srv/docs/**`, where a file is meant"
_HOME: Final = "a path from the root, `/home/anna/docs/**`, for nobody knows whose `~` it is"


def unclear_condition(rule: str) -> ValueProblem | None:
    """What is wrong with the glob of a permission, if it has one."""
    head, _, glob = rule.partition("=")
    if glob.lower().startswith("file:/"):
        path = "/" + glob[len("file:/") :].lstrip("/")
        return Malformed(rule, _SUBJECT, _FILE, f"{head}={path}")
    if is_like_an_address(glob) and not glob.startswith("/") and address_glob(glob) is None:
        return Malformed(rule, _SUBJECT, _ADDRESS)
    if glob.startswith("~") and "/" in glob:
        return Malformed(rule, _SUBJECT, _HOME)
    return None
