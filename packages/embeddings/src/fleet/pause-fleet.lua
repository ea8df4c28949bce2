-- KEYS: the pause. ARGV: milliseconds. A shorter pause does not end a longer one.
if tonumber(ARGV[1]) > redis.call('PTTL', KEYS[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 0
