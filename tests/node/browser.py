"""A Chromium from npm, unpacked once, and driven by Playwright; its own guards are all on."""

import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright

from tests.node.installing import installed, node

_UNPACK: Final = """
const [from, to] = process.argv.slice(1);
const { createReadStream, createWriteStream } = require("node:fs");
const { createBrotliDecompress } = require("node:zlib");
const { pipeline } = require("node:stream/promises");
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """The browser with these arguments; who runs tests as root has no sandbox to offer."""
    home = _unpacked()
    libraries = [str(home / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=home / "chromium",
            args=["--headless", "--no-sandbox", "--disable-gpu", *arguments],
            env={**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries))},
        )
        try:
            yield browser
        finally:
            await browser.close()


def _unpacked() -> Path:
    """The folder with the browser and the libraries that it needs."""
    packages = installed()
    home = packages.parent / "browser"
    if not home.exists():
        fresh = Path(tempfile.mkdtemp(dir=packages.parent, prefix="fresh-"))
        _unpack(packages / "@sparticuz" / "chromium" / "bin", fresh)
        try:
            fresh.rename(home)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)
    return home


def _unpack(packed: Path, home: Path) -> None:
    _decompress(packed / "chromium.br", home / "chromium")
    (home / "chromium").chmod(0o755)
    _decompress(packed / "al2023.tar.br", home / "libraries.tar")
    with tarfile.open(home / "libraries.tar") as libraries:
        libraries.extractall(home, filter="data")
    (home / "libraries.tar").unlink()


def _decompress(source: Path, target: Path) -> None:
    subprocess.run([node(), "-e", _UNPACK, source, target], check=True, timeout=120)
