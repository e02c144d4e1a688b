"""A fresh interpreter that says what it has loaded."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]

WALL = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ModuleNotFoundError(f"{{name}} is behind the wall", name=name)

sys.meta_path.insert(0, Wall())
"""

IMPORT_ALL_OF = """
import importlib, pkgutil
package = importlib.import_module({package!r})
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not found.name.startswith({but!r}):
        importlib.import_module(found.name)
"""

TELL = """
import json as _json, sys as _sys
print("\\n" + _json.dumps(sorted({name.partition(".")[0] for name in _sys.modules})))
"""


def loaded_after(source: str) -> frozenset[str]:
    """The top-level names of the modules that are loaded once `source` has run."""
    done = subprocess.run(
        [sys.executable, "-c", source + TELL],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def without(libraries: Iterable[str]) -> str:
    """Source after which none of these libraries can be imported."""
    return WALL.format(refused=set(libraries))


def installed(*, but: Iterable[str] = ()) -> frozenset[str]:
    """The top-level modules of everything in the environment except some distributions."""
    allowed = frozenset(but)
    owners = packages_distributions()
    return frozenset(name for name, owned_by in owners.items() if allowed.isdisjoint(owned_by))


def import_all_of(package: str, *, but: str) -> str:
    """Source that imports every module of a package except those under one name."""
    return IMPORT_ALL_OF.format(package=package, but=but)
