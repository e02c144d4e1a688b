CREATE TABLE tool_servers (
    name TEXT PRIMARY KEY,
    registration TEXT NOT NULL
) STRICT;
