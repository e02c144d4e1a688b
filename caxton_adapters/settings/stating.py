"""Broken rules of the settings, in the words of the table of codes."""

from caxton_core.codes.stating import stated

__all__ = ["stated"]
