"""What Caxton promises, tried from outside: real processes that are killed, starved and flooded.

Each proof has a long form, `python -m tests.proofs NAME`, and a short one in the ordinary test run.
Every check has a test of its own that feeds it a doctored record: a check must be able to fail.
"""
