-- road out 5/8: dedupe, offset, append, publish as one step
--
-- Publishes with history, with an idempotency key, or with both. All of it happens or nothing, so the order of messages
-- on the bus is the order of offsets.
--
-- KEYS  1 meta, a hash: e epoch, s top offset, r run_id of the Redis that wrote last, v version, ve epoch of the version,
--         l what came before the last changes of `r`: `epoch offset` of up to four, the newest first
--       2 stream; the id of an entry is `offset-0`, its fields are i publication id, d publication
--       3 answer to the idempotency key: `publication digest epoch offset`
--       4 bus channel
-- ARGV  1 PUBLISH or SPUBLISH        2 run_id of this Redis, "" where it is hidden
--       3 publication id             4 publication, see stored.proto
--       5 "1": deltas allowed        6 "1": an attempt before this one may have succeeded
--       7 digest of the data, "" for no idempotency key             8 life of the answer, ms
--       9 publications to keep, "" for no history   10 their life, ms   11 life of meta, ms
--      12 epoch if one is needed    13 version, "0" for none       14 its epoch
--
-- Returns {what, epoch, offset}, both "" without history; what is
--       0 published, 1 published by an attempt before, 2 suppressed by the key, 3 suppressed by the version,
--      -1 the key was used with other data
--
-- Numbers are compared as text: what a double cannot hold must not become another number on the way.

local function above(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end

-- What came before a change of `r`: positions of these epochs are still of this stream, up to where they were cut off. The
-- newest first; the oldest is forgotten.
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

local meta, stream, answer, bus = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, digest, size = ARGV[3], ARGV[7], ARGV[9]

if digest ~= '' then
  local known = redis.call('GET', answer)
  if known then
    local by, of, epoch, offset = string.match(known, '^(%S+) (%S+) (%S*) (%S*)$')
    if of ~= digest then return { -1, '', '' } end
    if by == id then return { 1, epoch, offset } end
    return { 2, epoch, offset }
  end
end

local epoch, offset = '', ''
if size ~= '' then
  local state = redis.call('HMGET', meta, 'e', 's', 'r', 'v', 've', 'l')
  epoch = state[1]
  offset = state[2] or '0'

  -- Even of a Redis that was started again since: what is in the stream was published.
  if epoch and ARGV[6] == '1' then
    for _, entry in ipairs(redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 64)) do
      if entry[2][2] == id then return { 1, epoch, string.match(entry[1], '^%d+') } end
    end
  end

  if not epoch then
    -- The stream of a meta that is gone has offsets that would come again.
    redis.call('DEL', stream)
    epoch = ARGV[12]
    redis.call('HSET', meta, 'e', epoch, 's', '0', 'r', ARGV[2])
  elseif ARGV[2] ~= '' and state[3] ~= ARGV[2] then
    if state[3] and state[3] ~= '' then
      redis.call('HSET', meta, 'e', ARGV[12], 'r', ARGV[2], 'l', lineage(state[6], epoch, offset))
      epoch = ARGV[12]
    else
      redis.call('HSET', meta, 'r', ARGV[2])
    end
  end

  if ARGV[13] ~= '0' then
    local same = ARGV[14] == '' or ARGV[14] == (state[5] or '')
    if same and state[4] and not above(ARGV[13], state[4]) then
      redis.call('PEXPIRE', meta, ARGV[11])
      return { 3, epoch, offset }
    end
    redis.call('HSET', meta, 'v', ARGV[13], 've', ARGV[14])
  end

  offset = string.format('%.0f', redis.call('HINCRBY', meta, 's', 1))
  redis.call('XADD', stream, 'MAXLEN', size, offset .. '-0', 'i', id, 'd', ARGV[4])
  redis.call('PEXPIRE', stream, ARGV[10])
  redis.call('PEXPIRE', meta, ARGV[11])
end

if digest ~= '' then
  redis.call('SET', answer, id .. ' ' .. digest .. ' ' .. epoch .. ' ' .. offset, 'PX', ARGV[8])
end

if size ~= '' then
  redis.call(ARGV[1], bus, 'k' .. ARGV[5] .. epoch .. offset .. '\n' .. ARGV[4])
else
  redis.call(ARGV[1], bus, 'p' .. ARGV[5] .. ARGV[4])
end
return { 0, epoch, offset }
