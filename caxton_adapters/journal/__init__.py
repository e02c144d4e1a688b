"""Where the way of every message is recorded, and what follows from it."""
