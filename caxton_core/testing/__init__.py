"""For tests of one's own: strategies for every domain type (needs Hypothesis)."""
