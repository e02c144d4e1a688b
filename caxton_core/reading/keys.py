"""What a key of a file is for, written once beside the field that holds it.

`Annotated[Temperature, Key("How freely ...", "0.7")]` serves the problems that a reader reports,
the references that are generated, and the JSON Schema.
"""

from typing import final

from attrs import frozen


@final
@frozen
class Key:
    """A key's meaning in one sentence, and an example value as TOML text.

    `why` says why the key is required; `default` says in words what an absent key means where the
    default value does not show it.
    """

    says: str
    example: str
    why: str = ""
    default: str = ""


@final
@frozen
class Distinct:
    """The items of a list all differ, and there are at most so many."""

    at_most: int
