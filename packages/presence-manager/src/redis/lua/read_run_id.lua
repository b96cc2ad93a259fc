-- Tells which Redis process answers.
-- KEYS none
-- ARGV 1 run_id, filled in by the connection
-- Returns it
return ARGV[1]
