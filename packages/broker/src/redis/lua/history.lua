-- Reads a slice of a stream together with its position, making the epoch where there is none.
--
-- KEYS  1 meta, 2 stream; see publish_stream.lua
-- ARGV  1 run_id of this Redis, "" where it is hidden
--       2 epoch if one is needed      3 life of meta, ms
--       4 epoch of the position that is asked about, "" for any     5 its offset, "" for none
--       6 how many, "0" for none      7 "1": in reverse
--
-- Returns {0, epoch, offset, entries, ms until the entries go}; -1 where the position is of an epoch that this stream does not go on from
--
-- Runs after enter_stream.lua.

local meta, stream = KEYS[1], KEYS[2]
local state = redis.call('HMGET', meta, 'e', 's', 'r', 'l')
local epoch, offset, former = enter(meta, stream, state, ARGV[1], ARGV[2])
redis.call('PEXPIRE', meta, ARGV[3])

if ARGV[4] ~= '' and ARGV[4] ~= epoch then
  local last
  for before, cut in string.gmatch(former, '(%S+) (%S+)') do
    if before == ARGV[4] then last = cut end
  end
  if not last or above(ARGV[5], last) then return -1 end
end

local entries = {}
if ARGV[6] ~= '0' then
  if ARGV[7] ~= '1' then
    local first = '-'
    if ARGV[5] ~= '' then first = '(' .. ARGV[5] .. '-0' end
    entries = redis.call('XRANGE', stream, first, '+', 'COUNT', ARGV[6])
  elseif ARGV[5] ~= '0' then
    local last = '+'
    if ARGV[5] ~= '' then last = '(' .. ARGV[5] .. '-0' end
    entries = redis.call('XREVRANGE', stream, last, '-', 'COUNT', ARGV[6])
  end
end
return { 0, epoch, offset, entries, redis.call('PTTL', stream) }
