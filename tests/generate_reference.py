"""Write the references that are derived from the code: `python -m tests.generate_reference`."""

import json
from pathlib import Path
from typing import Final

from caxton_adapters.settings.reference import settings_reference
from caxton_core.agent.catalogue import agent_file_reference, agent_schema, error_reference
from caxton_core.agent.policy.catalogue import policy_reference

REFERENCE: Final = Path(__file__).parent.parent / "docs" / "reference"


def pages() -> dict[str, str]:
    """The text of each generated page, by its name."""
    return {
        "agent-file.md": agent_file_reference(),
        "errors.md": error_reference(),
        "policy.md": policy_reference(),
        "settings.md": settings_reference(),
        "agent.schema.json": json.dumps(agent_schema(), indent=2, ensure_ascii=False) + "\n",
    }


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
