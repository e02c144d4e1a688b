"""Foreign input that nobody would write: mutated samples against every parser that reads it."""
