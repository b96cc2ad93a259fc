-- Adds members to a channel, or replaces what is known of them. The counts of users are right afterwards.
-- KEYS 1 members (sorted set, scores 0), 2 users (hash: user -> clients), 3 names of the holder (set),
--      4 mark of the holder before
-- ARGV 1 holder, 2 milliseconds that the keys are kept, 3 head of a name, then for each member
--      its key, its user, its entry (key .. holder .. length of user as 8 hex digits .. user .. rest)
-- Returns for each member 1 where it is new and the mark is there, else 0
local swept = redis.call('EXISTS', KEYS[4])
local answers = {}

for i = 4, #ARGV, 3 do
  local key, user, entry = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local old = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. key, '(' .. key .. '\255', 'LIMIT', 0, 1)[1]
  if old then
    local at = #key + #ARGV[1] + 1
    local length = tonumber(string.sub(old, at, at + 7), 16)
    local before = string.sub(old, at + 8, at + 7 + length)
    if redis.call('HINCRBY', KEYS[2], before, -1) <= 0 then
      redis.call('HDEL', KEYS[2], before)
    end
    redis.call('ZREM', KEYS[1], old)
  end
  redis.call('ZADD', KEYS[1], 0, entry)
  redis.call('HINCRBY', KEYS[2], user, 1)
  redis.call('SADD', KEYS[3], ARGV[3] .. key)
  answers[#answers + 1] = old and 0 or swept
end

for i = 1, 3 do
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return answers
