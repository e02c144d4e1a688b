"""What every test shares: one event loop, and how long properties are tried."""

import os

import pytest
from hypothesis import settings

# A deadline per example measures the machine's other guests, not the code.
settings.register_profile("here", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "here")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Everything runs on asyncio, which the server runs on."""
    return "asyncio"
