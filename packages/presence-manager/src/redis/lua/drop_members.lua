-- Removes members from a channel, and tells the channel of it in the same step: who is not there any more was told of, and
-- who was told of is not there any more.
-- KEYS 1 members (sorted set, scores 0), 2 users (hash: user -> clients), 3 holders (hash: holder -> clients),
--      4 names of the holder (set), 5 mark of the holder, 6 bus channel
-- ARGV 1 holder, 2 "1": only those that it holds, 3 milliseconds that the mark is kept, which says that members were taken
--      away because their holder died; 0: that is not why, 4 PUBLISH or SPUBLISH, 5 head of a name, then for each member
--      its key and what the bus channel is told of its removal, "" for nothing
-- Returns for each member 1 where this very call removed it, 2 where it is not there and the mark is, else 0
-- Runs after uncount_member.lua.
local holder, only, marking, head = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]) > 0, ARGV[5]
local swept = redis.call('EXISTS', KEYS[5]) == 1
local answers = {}
local removed = false

for i = 6, #ARGV, 2 do
  local key, message = ARGV[i], ARGV[i + 1]
  local entry = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. key, '(' .. key .. '\255', 'LIMIT', 0, 1)[1]
  local at = #key + #holder + 1
  local by = entry and string.sub(entry, #key + 1, at - 1)
  local answer = not entry and swept and 2 or 0
  if entry and (not only or by == holder) then
    local length = tonumber(string.sub(entry, at, at + 7), 16)
    uncount(KEYS[2], string.sub(entry, at + 8, at + 7 + length))
    uncount(KEYS[3], by)
    redis.call('ZREM', KEYS[1], entry)
    if message ~= '' then
      redis.call(ARGV[4], KEYS[6], message)
    end
    answer = 1
    removed = true
  end
  redis.call('SREM', KEYS[4], head .. key)
  answers[#answers + 1] = answer
end

if marking and removed then
  redis.call('SET', KEYS[5], '1', 'PX', ARGV[3])
end
return answers
