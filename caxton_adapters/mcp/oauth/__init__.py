"""Access to protected servers of tools: as the server itself, or with a person's login."""
