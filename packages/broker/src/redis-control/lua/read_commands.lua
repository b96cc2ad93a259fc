-- Registers a node and gives it the commands after its cursor.
-- KEYS 1 commands (stream), 2 nodes (hash: node -> "holder name")
-- ARGV 1 node, 2 "holder name", 3 cursor, "" for the end of the stream, 4 commands given at most,
--      5 milliseconds that the nodes are kept
-- Returns { cursor, { id, { 'c', command } }, … }: where to read from, and what was read
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[5])

local function number(id)
  local ms, count = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(count)
end

local cursor = ARGV[3]
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local top = last and last[1] or '0-0'
if cursor == '' then
  cursor = top
else
  -- A stream that ends before the cursor has lost what was read, and goes on from its end.
  local ms, count = number(cursor)
  local topMs, topCount = number(top)
  if topMs < ms or (topMs == ms and topCount < count) then
    cursor = top
  end
end

local answer = redis.call('XRANGE', KEYS[1], '(' .. cursor, '+', 'COUNT', ARGV[4])
table.insert(answer, 1, cursor)
return answer
