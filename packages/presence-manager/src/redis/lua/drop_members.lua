-- Removes members from a channel: one's own, or those that a dead holder left behind.
-- KEYS 1 members (sorted set, scores 0), 2 users (hash: user -> clients), 3 names of the holder (set),
--      4 mark of the holder
-- ARGV 1 holder, 2 milliseconds that a mark is kept; 0: remove whoever holds them, and leave no mark,
--      3 head of a name, then the key of each member
-- Returns the entries removed: each is returned once, whoever else removes it at the same time
local sweeping = tonumber(ARGV[2]) > 0
local removed = {}

for i = 4, #ARGV do
  local key = ARGV[i]
  local entry = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. key, '(' .. key .. '\255', 'LIMIT', 0, 1)[1]
  local at = #key + #ARGV[1] + 1
  if entry and (not sweeping or string.sub(entry, #key + 1, at - 1) == ARGV[1]) then
    local length = tonumber(string.sub(entry, at, at + 7), 16)
    local user = string.sub(entry, at + 8, at + 7 + length)
    if redis.call('HINCRBY', KEYS[2], user, -1) <= 0 then
      redis.call('HDEL', KEYS[2], user)
    end
    redis.call('ZREM', KEYS[1], entry)
    removed[#removed + 1] = entry
  end
  redis.call('SREM', KEYS[3], ARGV[3] .. key)
end

if sweeping and #removed > 0 then
  redis.call('SET', KEYS[4], '1', 'PX', ARGV[2])
end
return removed
