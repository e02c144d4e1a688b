"""Every problem code and what it means.

To add codes of your range, write a module here with a tuple of `Explanation` and name it in
`catalogue`: CX1 agent files (`files`, `agent_rules`, `agent_doubts`), CX2 settings and start, CX3
requests, CX4 running, CX5 providers. `caxton explain`, the links in answers and
`docs/reference/errors.md` follow from it (`python -m tests.generate_reference`).
"""
