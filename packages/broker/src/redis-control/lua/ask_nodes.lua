-- Asks all nodes, and tells which of them live.
-- KEYS 1 nodes (hash: node -> "holder name"), 2 leases (sorted set: holder -> milliseconds), 3 bus channel
-- ARGV 1 question, 2 milliseconds that a lease lives, 3 PUBLISH or SPUBLISH
-- Returns { node, its name, node, its name, … }; those without a living lease are forgotten
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local alive = {}
local nodes = redis.call('HGETALL', KEYS[1])
for i = 1, #nodes, 2 do
  local holder, name = string.match(nodes[i + 1], '^(%S+) (.*)$')
  local held = redis.call('ZSCORE', KEYS[2], holder)
  if held and now - held < tonumber(ARGV[2]) then
    alive[#alive + 1] = nodes[i]
    alive[#alive + 1] = name
  else
    redis.call('HDEL', KEYS[1], nodes[i])
  end
end

redis.call(ARGV[3], KEYS[3], ARGV[1])
return alive
