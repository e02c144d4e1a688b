"""The same promises on the other event loop that the server can run on."""

import pytest

pytest.importorskip("uvloop", reason="the extra `fast` is not installed")

from tests.adapters.http_client.test_requests import *  # noqa: F403
from tests.adapters.http_client.test_tls import *  # noqa: F403
from tests.adapters.http_client.test_waiting import *  # noqa: F403


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}
