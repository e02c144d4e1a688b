-- How many messages a minute: NULL is the server's own rate, 0 no limit.
ALTER TABLE tokens ADD COLUMN messages_per_minute INTEGER;
