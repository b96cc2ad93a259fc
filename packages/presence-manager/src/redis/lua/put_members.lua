-- Adds members to a channel, or replaces what is known of them. The counts are right afterwards. Who had been taken away
-- as dead, of which the channel was told, is announced again in the same step.
-- KEYS 1 members (sorted set, scores 0), 2 users (hash: user -> clients), 3 holders (hash: holder -> clients),
--      4 names of the holder (set), 5 mark of the holder before, 6 bus channel
-- ARGV 1 holder, 2 milliseconds that the keys are kept, 3 PUBLISH or SPUBLISH, 4 head of a name, then for each member
--      its key, its user, its entry (key .. holder .. length of user as 8 hex digits .. user .. rest), and what the bus
--      channel is told where it had been taken away, "" for nothing
-- Returns how many had been taken away
-- Runs after uncount_member.lua.
local holder = ARGV[1]
local swept = redis.call('EXISTS', KEYS[5]) == 1
local again = 0

for i = 5, #ARGV, 4 do
  local key, user, entry, message = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local old = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. key, '(' .. key .. '\255', 'LIMIT', 0, 1)[1]
  redis.call('HINCRBY', KEYS[2], user, 1)
  redis.call('HINCRBY', KEYS[3], holder, 1)
  if old then
    local at = #key + #holder + 1
    local length = tonumber(string.sub(old, at, at + 7), 16)
    uncount(KEYS[2], string.sub(old, at + 8, at + 7 + length))
    uncount(KEYS[3], string.sub(old, #key + 1, at - 1))
    redis.call('ZREM', KEYS[1], old)
  elseif swept then
    again = again + 1
    if message ~= '' then
      redis.call(ARGV[3], KEYS[6], message)
    end
  end
  redis.call('ZADD', KEYS[1], 0, entry)
  redis.call('SADD', KEYS[4], ARGV[4] .. key)
end

for i = 1, 4 do
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return again
