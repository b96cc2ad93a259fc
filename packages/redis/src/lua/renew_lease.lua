-- Renews a lease by the clock of this Redis. A holder whose lease is over, or unknown, never gets it back: the next one
-- takes its place. Who is late has to catch up first.
-- KEYS 1 leases (sorted set: holder -> milliseconds at its last renewal)
-- ARGV 1 holder, "" for none, 2 next holder, 3 milliseconds that a lease lives, 4 milliseconds that leases are remembered,
--      5 milliseconds since the last renewal from which on a holder is late, 6 when catching up was begun, or 0
-- Returns { "", now } where the holder is late and has not caught up, else
--         { holder now, holder, its age in milliseconds, another holder, its age, … }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[3])
local holder = ARGV[1]
local age = 0

if holder ~= '' then
  local held = redis.call('ZSCORE', KEYS[1], holder)
  age = held and now - held or ttl
end
if age > tonumber(ARGV[5]) and now - ARGV[6] >= ttl then
  return { '', tostring(now) }
end
if holder == '' or age >= ttl then
  holder = ARGV[2]
end

redis.call('ZADD', KEYS[1], now, holder)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[4])

local answer = { holder }
local leases = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #leases, 2 do
  answer[#answer + 1] = leases[i]
  answer[#answer + 1] = now - leases[i + 1]
end
return answer
