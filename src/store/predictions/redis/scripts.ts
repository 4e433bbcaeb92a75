/**
 * What must happen atomically in Redis. Redis runs a script without interruption by other clients, so two processes
 * cannot both take Ersilia's hash for different releases, and a killed client leaves no partial write.
 */

/** Seconds that Ersilia gives its keys, and renews with every write. */
export const ersiliaTtlSeconds = 604_800;

/**
 * KEYS  1 Ersilia's hash  2 header  3 state  4 own hash
 * ARGV  1 scope identity  2 header text  3 Ersilia's TTL in seconds  4 expiry per row in ms ("" = none, or the server
 *       cannot), then input, value, input, value, …
 *
 * The rows go to Ersilia's hash when this scope is the one shown there and the header is this scope's; a hash that
 * does not exist is taken by the first that comes. Otherwise they go to the scope's own hash. A hash that Ersilia gave
 * a time to live gets it renewed, as Ersilia's own writes do; one without gets none.
 */
export const putScript = `
local shown = redis.call('HGET', KEYS[3], 'shown')
local header = redis.call('GET', KEYS[2])
local target = KEYS[4]
local function same(text)
  if not text then return false end
  if text == ARGV[2] then return true end
  local ok, names = pcall(cjson.decode, text)
  if not ok or type(names) ~= 'table' then return false end
  local mine = cjson.decode(ARGV[2])
  if #names ~= #mine then return false end
  for i = 1, #mine do if names[i] ~= mine[i] then return false end end
  return true
end
if not shown or shown == ARGV[1] then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    if not same(header) then redis.call('SET', KEYS[2], ARGV[2]) end
    target = KEYS[1]
  elseif same(header) or (shown and not header) then
    target = KEYS[1]
  end
  if target == KEYS[1] and not shown then redis.call('HSET', KEYS[3], 'shown', ARGV[1]) end
end
redis.call('HSET', target, unpack(ARGV, 5))
if target == KEYS[1] then
  local ttl = tonumber(ARGV[3])
  for i = 1, 2 do
    local left = redis.call('TTL', KEYS[i])
    if left > 0 and left < ttl then redis.call('EXPIRE', KEYS[i], ttl) end
  end
end
if ARGV[4] ~= '' then
  local fields = {}
  for i = 5, #ARGV, 2 do fields[#fields + 1] = ARGV[i] end
  redis.call('HPEXPIRE', target, ARGV[4], 'FIELDS', #fields, unpack(fields))
end
return target == KEYS[1] and 1 or 0
`;

/** KEYS 1 hash; ARGV field, value, … Deletes the fields that still have these values; answers how many. */
export const deleteUnchangedScript = `
local dropped = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    dropped = dropped + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return dropped
`;

/** KEYS 1 state; ARGV 1 scope identity. Frees Ersilia's hash for another release when this scope held it. */
export const releaseScript = `
if redis.call('HGET', KEYS[1], 'shown') == ARGV[1] then return redis.call('HDEL', KEYS[1], 'shown') end
return 0
`;
