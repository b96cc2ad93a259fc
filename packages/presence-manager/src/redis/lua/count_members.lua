-- Counts the members of a channel.
-- KEYS 1 members (sorted set), 2 users (hash)
-- Returns { clients, distinct users }
return { redis.call('ZCARD', KEYS[1]), redis.call('HLEN', KEYS[2]) }
