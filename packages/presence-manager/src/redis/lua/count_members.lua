-- Counts the members of a channel.
-- KEYS 1 members (sorted set), 2 users (hash), 3 holders (hash)
-- Returns { clients, distinct users, holder, another holder, … }
local answer = redis.call('HKEYS', KEYS[3])
table.insert(answer, 1, redis.call('HLEN', KEYS[2]))
table.insert(answer, 1, redis.call('ZCARD', KEYS[1]))
return answer
