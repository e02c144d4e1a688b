"""The author's frame around what a user writes: text with `{{placeholders}}`."""

import re
from collections.abc import Mapping
from typing import Final

from caxton_core.primitives import FreeValue
from caxton_core.reading.written import plain, toml_value

PLACEHOLDER: Final = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
PLAIN_TEMPLATE: Final = "{{request}}"
REQUEST: Final = "request"


def placeholders(template: str) -> frozenset[str]:
    """The names between double braces."""
    return frozenset(PLACEHOLDER.findall(template))


def filled(template: str, request: str, parameters: Mapping[str, str]) -> str:
    """The template with the request and the parameters in their places.

    What is filled in is not looked at again: a user's text cannot reach a parameter.
    A placeholder without a value stays as it is written.
    """
    values = {**parameters, REQUEST: request}
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)


def parameter_text(parameter: FreeValue) -> str:
    """A text as it is, anything else as its author wrote it in the file."""
    return parameter if isinstance(parameter, str) else toml_value(plain(parameter))
