-- A token itself is nowhere: `digest` is its SHA-256. `used` is the hour of its last use.
CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created TEXT NOT NULL,
    expires TEXT,
    used TEXT
) STRICT;
