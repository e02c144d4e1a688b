"""What the operator of a server decides, and where each decision was written."""

from caxton_adapters.settings.loading import InvalidSettings, Loaded, Surroundings, load
from caxton_adapters.settings.values import (
    ConfiguredProvider,
    LoggingSettings,
    ServerSettings,
    Settings,
    StorageSettings,
)

__all__ = [
    "ConfiguredProvider",
    "InvalidSettings",
    "Loaded",
    "LoggingSettings",
    "ServerSettings",
    "Settings",
    "StorageSettings",
    "Surroundings",
    "load",
]
