-- One client less in a hash of counts; a part of the scripts that say so.
local function uncount(key, field)
  if redis.call('HINCRBY', key, field, -1) <= 0 then
    redis.call('HDEL', key, field)
  end
end
