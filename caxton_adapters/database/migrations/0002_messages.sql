-- Times are microseconds since 1970 in UTC. Texts that people or models wrote are JSON: SQLite
-- would end a plain one at its first NUL.

CREATE TABLE probe (
    number INTEGER NOT NULL
) STRICT;

INSERT INTO probe VALUES (0);

-- agent is '' where the conversation is shared; what was said up to the exchange `begins_after` is
-- hidden, as was decided when `marked` was the last message.
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL,
    agent TEXT NOT NULL,
    messages INTEGER NOT NULL,
    exchanges INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    begins_after INTEGER NOT NULL DEFAULT 0,
    marked INTEGER NOT NULL DEFAULT 0,
    summary TEXT NOT NULL DEFAULT '""',
    UNIQUE (conversation, agent)
) STRICT;

-- Neither holds last_used: an index that changes with every message costs every message a page.
CREATE INDEX conversations_by_agent ON conversations (agent);

-- state is NULL while there is no outcome. said[0] is null where it is the message's own text, or
-- what stands in opening where a turn began with other words. exchange counts the answers of the
-- conversation. The text is NULL when it was erased.
CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    agent TEXT NOT NULL,
    place INTEGER NOT NULL,
    lasting INTEGER NOT NULL,
    key TEXT,
    text TEXT,
    accepted INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state TEXT,
    ended INTEGER,
    outcome TEXT,
    opening TEXT,
    said TEXT,
    exchange INTEGER
) STRICT;

CREATE INDEX messages_unfinished ON messages (number) WHERE state IS NULL;

CREATE INDEX messages_keyed ON messages (agent, key) WHERE key IS NOT NULL;

CREATE INDEX messages_by_agent ON messages (agent);

CREATE INDEX messages_by_place ON messages (place, exchange);

CREATE INDEX messages_ended ON messages (ended) WHERE ended IS NOT NULL;

CREATE TABLE turn_events (
    message INTEGER NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER message_forgotten AFTER DELETE ON messages BEGIN
    DELETE FROM turn_events WHERE message = OLD.number;
    UPDATE conversations SET messages = messages - 1 WHERE number = OLD.place;
    DELETE FROM conversations WHERE number = OLD.place AND messages <= 0;
END;
