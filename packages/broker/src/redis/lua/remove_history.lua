-- Forgets the publications of a stream; its position stays. Nodes are told, because they keep some too.
--
-- KEYS  1 stream, 2 bus channel
-- ARGV  1 PUBLISH or SPUBLISH
--
-- Returns 0

redis.call('DEL', KEYS[1])
redis.call(ARGV[1], KEYS[2], 'r')
return 0
