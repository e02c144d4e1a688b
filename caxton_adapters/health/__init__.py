"""How the server does: each part tells of itself, and together they say whether it may be asked."""
