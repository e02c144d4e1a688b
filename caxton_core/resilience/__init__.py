"""How a caller treats a service that fails: when to try again, and when to leave it alone."""
