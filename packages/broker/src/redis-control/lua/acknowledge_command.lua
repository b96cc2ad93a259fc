-- Notes what became of a command on a node, and tells its sender.
-- KEYS 1 outcomes (hash: node -> outcome), 2 the sender's bus channel
-- ARGV 1 node, 2 outcome, 3 milliseconds that outcomes are kept, 4 PUBLISH or SPUBLISH, 5 what the sender is told
-- Returns 1
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call(ARGV[4], KEYS[2], ARGV[5])
return 1
