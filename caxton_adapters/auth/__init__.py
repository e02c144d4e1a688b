"""Who asks, and what they may do: tokens, their scopes, and where they are kept."""
