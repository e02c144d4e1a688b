"""What every adapter of a port promises, one suite a port: for adapters of one's own too.

Subclass a suite in a test module and give it the fixture that it asks for. This package alone
imports pytest; it comes with the extra `testing`.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{suite}"
        for suite in ("clock", "configs", "journal", "memory", "model", "tools")
    )
)
