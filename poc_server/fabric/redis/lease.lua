-- Take a lease that is free, or keep one's own, for a while; say what stands there. For 0 ms: give up one's own.
-- KEYS[1] the lease; ARGV holder, value (begins with "holder "), milliseconds
local there = redis.call('GET', KEYS[1])
local own = there and string.sub(there, 1, string.len(ARGV[1]) + 1) == ARGV[1] .. ' '
if ARGV[3] == '0' then
  if own then redis.call('DEL', KEYS[1]) end
  return ''
end
if own or not there then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return ARGV[2]
end
return there
