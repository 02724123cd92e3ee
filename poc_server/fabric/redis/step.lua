-- One step, all or nothing: write the new state and publish it with its events, or say what is there instead.
-- KEYS[1] the state: a hash of v (version), s (state), w (who wrote it)
-- ARGV    expected version, new version, state, writer, seconds to keep it, channel, what to publish
-- Returns {1} when written, else {0, version, state, writer} as they stand (version 0: nothing).
local there = redis.call('HMGET', KEYS[1], 'v', 's', 'w')
if (there[1] or '0') ~= ARGV[1] then
  return {0, there[1] or '0', there[2] or '', there[3] or ''}
end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 's', ARGV[3], 'w', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return {1}
