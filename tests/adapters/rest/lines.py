"""A log that a test reads."""

from collections.abc import Mapping

from attrs import define, field


@define
class Lines:
    """A log that keeps its lines."""

    lines: list[tuple[str, str, Mapping[str, object]]] = field(factory=list)

    def debug(self, event: str, **facts: object) -> None:
        self.lines.append(("debug", event, facts))

    def info(self, event: str, **facts: object) -> None:
        self.lines.append(("info", event, facts))

    def warning(self, event: str, **facts: object) -> None:
        self.lines.append(("warning", event, facts))
