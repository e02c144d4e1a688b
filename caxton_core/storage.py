"""What a store says when it cannot do its work."""

from typing import final

from attrs import frozen


@final
@frozen
class NotStored:
    """Nothing was changed: the disk is full or broken; `why` is for the operator."""

    why: str


@final
@frozen
class NotRead:
    """What is stored cannot be read; `why` is for the operator."""

    why: str
