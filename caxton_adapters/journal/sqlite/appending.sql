-- The journal as a view to insert into: each row is an event, and the triggers do what follows
-- from it. So whatever has queued up goes down in the order of the calls and in one statement.

CREATE TEMP VIEW appended (
    kind, message, at, body, number, agent, owner, conversation, lasting, key,
    state, erased, opening, said, summary
) AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;

CREATE TEMP TRIGGER accepted INSTEAD OF INSERT ON appended
WHEN NEW.kind = 'accepted' AND NOT EXISTS (SELECT 1 FROM messages WHERE id = NEW.message)
BEGIN
    INSERT INTO conversations (conversation, agent, messages, created, last_used)
    VALUES (NEW.conversation, NEW.owner, 1, NEW.at, NEW.at)
    ON CONFLICT (conversation, agent) DO UPDATE
    SET messages = messages + 1, last_used = max(last_used, excluded.last_used);
    INSERT INTO messages (id, agent, place, lasting, key, text, accepted)
    SELECT NEW.message, NEW.agent, number, NEW.lasting,
        NEW.key, NEW.body, NEW.at
    FROM conversations
    WHERE conversation = NEW.conversation AND agent = NEW.owner;
END;

CREATE TEMP TRIGGER resumed INSTEAD OF INSERT ON appended WHEN NEW.kind = 'resumed' BEGIN
    UPDATE messages SET attempts = max(attempts, NEW.number) WHERE id = NEW.message;
END;

CREATE TEMP TRIGGER happened INSTEAD OF INSERT ON appended
WHEN NEW.kind IN ('step', 'asked', 'said', 'begun', 'call', 'observed', 'reopened')
BEGIN
    INSERT INTO turn_events (message, number, kind, at, event)
    SELECT message.number,
        coalesce((SELECT max(number) FROM turn_events WHERE message = message.number), 0) + 1,
        NEW.kind, NEW.at, NEW.body
    FROM messages AS message
    WHERE id = NEW.message AND NOT (NEW.kind = 'reopened' AND (state = 'answered' OR text IS NULL));
    UPDATE messages
    SET state = NULL, ended = NULL, outcome = NULL, opening = NULL, said = NULL, attempts = 0
    WHERE NEW.kind = 'reopened' AND id = NEW.message
        AND state IS NOT 'answered' AND text IS NOT NULL;
END;

-- A summary that a turn was asked for before the conversation was reset or summarised by another
-- turn is of a past that is not there any more: it is not taken.
CREATE TEMP TRIGGER ended INSTEAD OF INSERT ON appended WHEN NEW.kind = 'ended' BEGIN
    UPDATE conversations
    SET summary = NEW.summary,
        marked = (SELECT seq FROM sqlite_sequence WHERE name = 'messages'),
        begins_after = coalesce((
            SELECT max(exchange) FROM (
                SELECT exchange, row_number() OVER (ORDER BY exchange) AS nth FROM messages
                WHERE place = conversations.number AND exchange > conversations.begins_after
            )
            WHERE nth <= NEW.number
        ), begins_after)
    WHERE NEW.number >= 0 AND EXISTS (
        SELECT 1 FROM messages
        WHERE id = NEW.message AND state IS NULL AND lasting
            AND place = conversations.number AND messages.number > conversations.marked
    );
    UPDATE conversations SET exchanges = exchanges + 1
    WHERE NEW.state = 'answered' AND number = (
        SELECT place FROM messages WHERE id = NEW.message AND state IS NULL AND lasting
    );
    DELETE FROM turn_events
    WHERE NEW.erased AND message = (
        SELECT number FROM messages WHERE id = NEW.message AND state IS NULL AND NOT lasting
    );
    UPDATE messages
    SET state = NEW.state,
        ended = NEW.at,
        outcome = NEW.body,
        text = iif(lasting OR NOT NEW.erased, text, NULL),
        opening = iif(lasting, nullif(NEW.opening, text), NULL),
        said = iif(lasting, NEW.said, NULL),
        exchange = iif(
            lasting AND NEW.state = 'answered',
            (SELECT exchanges FROM conversations WHERE number = messages.place),
            NULL
        )
    WHERE id = NEW.message AND state IS NULL;
END;
