"""What a server owes to its operating system, and to whoever started it."""
