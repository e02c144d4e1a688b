"""What agents can do beyond text."""
