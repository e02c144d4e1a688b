"""What the operator of a server decides, and where each decision was written."""

from caxton_adapters.settings.values import LoggingSettings, ServerSettings, Settings

__all__ = ["LoggingSettings", "ServerSettings", "Settings"]
