"""`python -m tests.proofs.observed_server FILE server start ...`: writes down its number of tasks.

The product has no hook for it: a thread beside it looks at asyncio's own register once a second.
"""

import asyncio
import sys
import threading
import time
from pathlib import Path

PERIOD = 0.5


def main() -> int:
    """Run the product's own command beside such a thread."""
    path = Path(sys.argv.pop(1))
    threading.Thread(target=_write, args=(path,), daemon=True).start()
    from caxton_cli.__main__ import main as caxton  # noqa: PLC0415 - it reads sys.argv

    return caxton()


def _write(path: Path) -> None:
    register = asyncio.tasks._all_tasks  # type: ignore[attr-defined] # weak: what is left counts
    with path.open("a") as file:
        while True:
            file.write(f"{len(register)}\n")
            file.flush()
            time.sleep(PERIOD)


if __name__ == "__main__":
    sys.exit(main())
