"""The command line: a thin client of the server, which imports nothing before it must."""
