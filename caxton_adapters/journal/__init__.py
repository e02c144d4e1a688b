"""Where events are recorded."""
