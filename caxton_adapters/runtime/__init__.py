"""The imperative shell: agents that run, messages that are answered, processes that isolate."""
