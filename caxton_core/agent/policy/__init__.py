"""What an installation allows its agents: rules over their files, read from one file of its own.

A policy only narrows: what the agent file's own rules refuse stays refused whatever it says.
"""
