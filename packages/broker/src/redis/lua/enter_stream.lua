-- What every script about a stream does first; a part of those that say so.
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
  for before, cut in string.gmatch(former, '(%S+) (%S+)') do
    count = count + 1
    if count > 4 then break end
    line[#line + 1] = before
    line[#line + 1] = cut
  end
  return table.concat(line, ' ')
end

-- Takes the fields e, s, r and l of the meta, the run_id of this Redis ("" where it is hidden) and the epoch if one is
-- needed: where there is none, or where another Redis wrote last. Gives epoch, top offset and lineage as they are then.
local function enter(meta, stream, state, run, fresh)
  local epoch, offset, writer, former = state[1], state[2] or '0', state[3] or '', state[4] or ''
  if not epoch then
    -- The stream of a meta that is gone has offsets that would come again.
    redis.call('DEL', stream)
    redis.call('HSET', meta, 'e', fresh, 's', '0', 'r', run)
    return fresh, offset, ''
  end
  if run == '' or writer == run then return epoch, offset, former end
  if writer == '' then
    redis.call('HSET', meta, 'r', run)
    return epoch, offset, former
  end
  former = lineage(former, epoch, offset)
  redis.call('HSET', meta, 'e', fresh, 'r', run, 'l', former)
  return fresh, offset, former
end
