CREATE TABLE memory_owners (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    agent TEXT NOT NULL,
    conversation TEXT NOT NULL,
    entries INTEGER NOT NULL DEFAULT 0,
    UNIQUE (scope, agent, conversation)
) STRICT;
-- The ids of an owner's entries are one range, `owner << 32` and what follows, so that a search for
-- words never looks at the entries of another owner. Times are microseconds since 1970, in UTC.
CREATE TABLE memory_entries (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL REFERENCES memory_owners,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    value TEXT,
    tags TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    UNIQUE (owner, key)
) STRICT;
CREATE INDEX memory_entries_by_creation ON memory_entries (owner, created, key);
CREATE INDEX memory_entries_by_kind ON memory_entries (owner, kind, created, key);
CREATE INDEX memory_entries_by_update ON memory_entries (owner, updated, key);
CREATE TABLE memory_tags (
    owner INTEGER NOT NULL,
    tag TEXT NOT NULL,
    created INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (owner, tag, created, entry)
) STRICT, WITHOUT ROWID;
CREATE TABLE memory_relations (
    source INTEGER NOT NULL,
    type TEXT NOT NULL,
    target INTEGER NOT NULL,
    strength REAL NOT NULL,
    PRIMARY KEY (source, type, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX memory_relations_by_target ON memory_relations (target);
-- Kept by whoever changes entries: a trigger may not use it where the schema is not trusted.
CREATE VIRTUAL TABLE memory_words USING fts5(
    key,
    text,
    content = 'memory_entries',
    content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER memory_entry_added AFTER INSERT ON memory_entries BEGIN
    UPDATE memory_owners SET entries = entries + 1 WHERE id = new.owner;
    INSERT OR IGNORE INTO memory_tags
        SELECT new.owner, value, new.created, new.id FROM json_each(new.tags);
END;
CREATE TRIGGER memory_entry_removed AFTER DELETE ON memory_entries BEGIN
    UPDATE memory_owners SET entries = entries - 1 WHERE id = old.owner;
    DELETE FROM memory_tags WHERE owner = old.owner AND created = old.created AND entry = old.id
        AND tag IN (SELECT value FROM json_each(old.tags));
    DELETE FROM memory_relations WHERE source = old.id;
    DELETE FROM memory_relations WHERE target = old.id;
END;
CREATE TRIGGER memory_entry_tagged_anew AFTER UPDATE OF tags ON memory_entries
WHEN old.tags IS NOT new.tags BEGIN
    DELETE FROM memory_tags WHERE owner = old.owner AND created = old.created AND entry = old.id
        AND tag IN (SELECT value FROM json_each(old.tags));
    INSERT OR IGNORE INTO memory_tags
        SELECT new.owner, value, new.created, new.id FROM json_each(new.tags);
END;
