"""An agent: what its author decided, how that is read, and the states of its life."""
