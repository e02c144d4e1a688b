"""Servers of tools: the Model Context Protocol, as its client."""
