-- Reads a slice of a stream together with its position, making the epoch where there is none.
--
-- KEYS  1 meta, 2 stream; see publish_stream.lua
-- ARGV  1 run_id of this Redis, "" where it is hidden
--       2 epoch if one is needed      3 life of meta, ms
--       4 epoch of the position that is asked about, "" for any     5 its offset, "" for none
--       6 how many, "0" for none      7 "1": in reverse
--
-- Returns {0, epoch, offset, entries, ms until the entries go}; -1 where the position is of an epoch that this stream does not go on from

local function above(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end

-- See publish_stream.lua.
local function lineage(former, epoch, offset)
  local line, count = { epoch, offset }, 1
  for before, cut in string.gmatch(former or '', '(%S+) (%S+)') do
    count = count + 1
    if count > 4 then break end
    line[#line + 1] = before
    line[#line + 1] = cut
  end
  return table.concat(line, ' ')
end

local meta, stream = KEYS[1], KEYS[2]
local state = redis.call('HMGET', meta, 'e', 's', 'r', 'l')
local epoch, offset, former = state[1], state[2] or '0', state[4] or ''

if not epoch then
  redis.call('DEL', stream)
  epoch, former = ARGV[2], ''
  redis.call('HSET', meta, 'e', epoch, 's', '0', 'r', ARGV[1])
elseif ARGV[1] ~= '' and state[3] ~= ARGV[1] then
  if state[3] and state[3] ~= '' then
    former = lineage(former, epoch, offset)
    epoch = ARGV[2]
    redis.call('HSET', meta, 'e', epoch, 'r', ARGV[1], 'l', former)
  else
    redis.call('HSET', meta, 'r', ARGV[1])
  end
end
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
