"""A whole server of values, driven by a seeded scheduler through every fault we could think of.

Turns, journal, restarts, breaker, retries and limits are the product's own decisions; what stands
around them (disk, models, tools, processes, people) is made up here, without clock and threads:
a seed says everything that happens.
"""
