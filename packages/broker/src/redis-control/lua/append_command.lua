-- Appends a command for all nodes, and tells which of them are counted on.
-- KEYS 1 commands (stream), 2 nodes (hash: node -> "holder name"), 3 leases (sorted set: holder -> milliseconds),
--      4 bus channel
-- ARGV 1 command, 2 commands kept, 3 milliseconds that they are kept, 4 milliseconds that a lease lives,
--      5 milliseconds since its renewal until a node is not counted on, 6 PUBLISH or SPUBLISH, 7 what wakes the nodes,
--      8 what the sender has read to, "" for nothing
-- Returns the nodes counted on; those without a living lease are forgotten
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A stream that lost its end, on a machine whose clock is behind, goes on after what nodes have read already.
local id = '*'
local ms, count = string.match(ARGV[8], '^(%d+)-(%d+)$')
if ms and tonumber(ms) >= now then
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  local topMs, topCount = string.match(last and last[1] or '0-0', '^(%d+)-(%d+)$')
  topMs, topCount = tonumber(topMs), tonumber(topCount)
  if topMs < tonumber(ms) or (topMs == tonumber(ms) and topCount < tonumber(count)) then
    id = ms .. '-' .. string.format('%.0f', count + 1)
  end
end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'c', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])

local counted = {}
local nodes = redis.call('HGETALL', KEYS[2])
for i = 1, #nodes, 2 do
  local held = redis.call('ZSCORE', KEYS[3], string.match(nodes[i + 1], '^%S+'))
  if not held or now - held >= tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[2], nodes[i])
  elseif now - held < tonumber(ARGV[5]) then
    counted[#counted + 1] = nodes[i]
  end
end

redis.call(ARGV[6], KEYS[4], ARGV[7])
return counted
