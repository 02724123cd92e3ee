-- Take a lease that is free, or keep one's own, for a while; say what stands there.
-- KEYS[1] the lease; ARGV holder, value (begins with "holder "), milliseconds
local there = redis.call('GET', KEYS[1])
if not there or string.sub(there, 1, string.len(ARGV[1]) + 1) == ARGV[1] .. ' ' then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return ARGV[2]
end
return there
