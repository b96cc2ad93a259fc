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
--       5 where `6` is "1": what was read of the stream, a hash: publication id -> id of its entry; e epoch; t and b the
--         newest and the oldest entry
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
-- Runs after enter_stream.lua.

-- Finds the entry of a publication, which may lie behind many others by now. What was read is kept for those who try again
-- after it: where they are many, each entry is still read once.
local function find(stream, index, epoch, id)
  local piece, most, kept = 250, 5000, 6000
  local known = redis.call('HMGET', index, 'e', id, 't', 'b')
  if known[1] ~= epoch then
    redis.call('DEL', index)
    known = {}
  end
  local found, top, bottom = known[2], known[3], known[4]
  if found then return found end

  -- Gives the newest and the oldest, and whether there may be more.
  local function read(last, first)
    local entries = redis.call('XREVRANGE', stream, last, first, 'COUNT', piece)
    if #entries == 0 then return nil, nil, false end
    local fields = {}
    for i, entry in ipairs(entries) do
      if entry[2][2] == id then found = entry[1] end
      fields[2 * i - 1], fields[2 * i] = entry[2][2], entry[1]
    end
    redis.call('HSET', index, unpack(fields))
    return entries[1][1], entries[#entries][1], #entries == piece
  end

  local since = top and '(' .. top or '-'
  local newest, oldest, more = read('+', since)
  if top then
    while more do
      local _, next, full = read('(' .. oldest, since)
      oldest, more = next, full
    end
    more = true
  else
    bottom = oldest
  end
  while more and not found and redis.call('HLEN', index) < most do
    local _, next, full = read('(' .. bottom, '-')
    bottom, more = next or bottom, full
  end
  if bottom then
    redis.call('HSET', index, 'e', epoch, 't', newest or top, 'b', bottom)
    redis.call('PEXPIRE', index, kept)
  end
  return found
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
  local state = redis.call('HMGET', meta, 'e', 's', 'r', 'l', 'v', 've')

  -- Even of a Redis that was started again since: what is in the stream was published.
  if state[1] and ARGV[6] == '1' then
    local entry = find(stream, KEYS[5], state[1], id)
    if entry then return { 1, state[1], string.match(entry, '^%d+') } end
  end
  epoch, offset = enter(meta, stream, state, ARGV[2], ARGV[12])

  if ARGV[13] ~= '0' then
    local same = ARGV[14] == '' or ARGV[14] == (state[6] or '')
    if same and state[5] and not above(ARGV[13], state[5]) then
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
