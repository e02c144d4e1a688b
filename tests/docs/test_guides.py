"""What the guides enumerate is what there is."""

import inspect
import json
import re
from pathlib import Path
from typing import Final

from caxton_adapters import key_sources
from caxton_adapters.settings.written import ProviderKind, ProviderTable
from caxton_core import ports
from caxton_core.agent.sections import Isolation
from caxton_core.codes.catalogue import EXPLANATIONS
from tests.acceptance.criteria import criterion
from tests.docs.page import blocks_of
from tests.docs.shell import Shell, typed_in
from tests.model_server import ModelServer

DOCS: Final = Path(__file__).parents[2] / "docs"
FIRST_CELL: Final = re.compile(r"^\| `([^`]+)`", re.MULTILINE)


def text_of(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next one of its level."""
    _, _, rest = text_of(page).partition(f"\n## {title}\n")
    assert rest, f"{page} has no section {title}"
    return rest.partition("\n## ")[0]


@criterion("STORY-003.D1", "STORY-003.D3", "STORY-042.D1")
def test_the_quick_start_leads_from_nothing_to_an_answer(shell: Shell, openai: ModelServer) -> None:
    blocks = list(blocks_of(DOCS / "tutorial" / "quick-start.md", shell))
    typed = [
        step.command
        for block in blocks
        if block.region.lexemes["language"] == "console"
        for step in typed_in(str(block.parsed))
    ]
    for block in blocks:
        block.evaluate()
    needed = ("caxton server start", "caxton deploy", "caxton send", "caxton server stop")
    assert [any(line.startswith(step) for line in typed) for step in needed] == [True] * 4
    asked = openai.stats()
    assert asked.last_headers["authorization"] == "Bearer sk-your-key"
    assert json.loads(asked.last_body)["model"].startswith("gpt-4")


@criterion("STORY-013.D3")
def test_every_code_has_a_section_and_the_usual_accidents_a_guide(shell: Shell) -> None:
    sections = re.findall(r"^## (CX\d{4})$", text_of("reference/errors.md"), re.MULTILINE)
    assert sections == sorted(EXPLANATIONS)
    guide = DOCS / "how-to" / "fix-agent-files.md"
    for block in blocks_of(guide, shell):
        block.evaluate()
    assert set(re.findall(r"CX\d{4}", guide.read_text("utf-8"))) <= set(EXPLANATIONS)


@criterion("STORY-005.D3")
def test_the_architecture_page_explains_every_port_and_every_isolation() -> None:
    declared = {
        name
        for name, port in inspect.getmembers(ports, inspect.isclass)
        if port.__module__ == ports.__name__
    }
    assert set(FIRST_CELL.findall(section("explanation/architecture.md", "Ports"))) == declared
    isolation = section("explanation/architecture.md", "Isolation")
    assert all(f"`{kind.value}`" in isolation for kind in Isolation)


@criterion("STORY-041.D3")
def test_the_provider_guide_knows_every_kind_and_the_port_behind_them() -> None:
    page = text_of("how-to/providers.md")
    assert {kind.value for kind in ProviderKind} <= set(FIRST_CELL.findall(page))
    how = section("how-to/providers.md", "How it works")
    methods = [name for name, _ in inspect.getmembers(ports.Model, inspect.isfunction)]
    spoken = {"complete", "stream", "capabilities", "health"}
    assert spoken <= set(methods)
    assert all(method in how for method in spoken)


@criterion("STORY-042.D3")
def test_the_key_guide_lists_every_place_and_every_limit() -> None:
    places = section("how-to/openai.md", "Where the key may be")
    assert "OPENAI_API_KEY_FILE" in places
    assert f"`{key_sources.KEYRING_SERVICE}`" in places
    assert "systemd credential" in places
    limits = set(FIRST_CELL.findall(section("how-to/openai.md", "Choose models and limits")))
    keys = set(inspect.signature(ProviderTable).parameters)
    assert limits == {key for key in keys if key.endswith(("_per_minute", "_per_day"))}


@criterion("STORY-008.D3")
def test_the_rest_reference_lists_every_request_of_the_description(shell: Shell) -> None:
    shell.run("caxton server start")
    description = json.loads(shell.run("curl -s localhost:8080/schema/openapi.json").text)
    served = {
        f"{method.upper()} {path}"
        for path, operations in description["paths"].items()
        for method in operations
    }
    requests = [cell for cell in FIRST_CELL.findall(text_of("reference/rest.md")) if " /" in cell]
    assert description["openapi"].startswith("3.1")
    assert sorted(requests) == sorted(served)
