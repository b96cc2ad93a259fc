-- Finds the members of a channel that a holder has.
-- KEYS 1 members (sorted set)
-- ARGV 1 holder, then the key of each member
-- Returns their entries, without those that it does not have
local found = {}
for i = 2, #ARGV do
  local key = ARGV[i]
  local entry = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. key, '(' .. key .. '\255', 'LIMIT', 0, 1)[1]
  if entry and string.sub(entry, #key + 1, #key + #ARGV[1]) == ARGV[1] then
    found[#found + 1] = entry
  end
end
return found
