-- One turn of a process for one request. The rules are explained in fleet-rate-governor.ts.
-- KEYS: what was sent (list), who waits (hash), who was here (sorted set), the pause (string with an expiry).
-- ARGV: id of the process, tokens, limits of requests and of tokens, window in ms, requests and tokens sent without asking.
-- Answers the milliseconds to wait (0: go), and the number of processes seen within the window.
local sent_key, line_key, members_key, pause_key = unpack(KEYS)
local id, cost, max_requests, max_tokens, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local longest_wait, grace = 1000, 1000

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
-- What is sent within a slot counts as sent at its end: at most a hundred and one entries, however many requests.
local slot = window / 100
local slot_end = math.ceil(now / slot) * slot

local function numbers(text)
  local a, b, c = string.match(text, '^(%S+) (%S+) (%S+)$')
  return tonumber(a), tonumber(b), tonumber(c)
end

-- A clock that was set back would keep the future's entries for as long.
local last = redis.call('LINDEX', sent_key, -1)
if last and numbers(last) > now + window then redis.call('DEL', sent_key) end

local function record(requests, tokens)
  local previous = redis.call('LINDEX', sent_key, -1)
  local at, r, t = 0, 0, 0
  if previous then at, r, t = numbers(previous) end
  if at >= slot_end then
    redis.call('LSET', sent_key, -1, string.format('%.3f %.0f %.0f', at, r + requests, t + tokens))
  else
    redis.call('RPUSH', sent_key, string.format('%.3f %.0f %.0f', slot_end, requests, tokens))
  end
  redis.call('PEXPIRE', sent_key, math.ceil(window + slot))
end
if tonumber(ARGV[6]) > 0 then record(tonumber(ARGV[6]), tonumber(ARGV[7])) end

redis.call('ZADD', members_key, now, id)
redis.call('ZREMRANGEBYSCORE', members_key, '-inf', now - window)
redis.call('PEXPIRE', members_key, math.ceil(window))
local members = redis.call('ZCARD', members_key)

local requests, tokens, entries = 1, cost, {}
for _, entry in ipairs(redis.call('LRANGE', sent_key, 0, -1)) do
  local at, r, t = numbers(entry)
  if at <= now - window then
    redis.call('LPOP', sent_key)
  else
    entries[#entries + 1] = { at = at, requests = r, tokens = t }
    requests, tokens = requests + r, tokens + t
  end
end

local place, last_place, waiting = nil, 0, {}
local line = redis.call('HGETALL', line_key)
for i = 1, #line, 2 do
  local its_place, its_cost, keeps_until = numbers(line[i + 1])
  if line[i] == id then
    place = its_place
  elseif keeps_until < now then
    redis.call('HDEL', line_key, line[i])
  else
    waiting[#waiting + 1] = { place = its_place, tokens = its_cost }
  end
  last_place = math.max(last_place, its_place)
end
place = place or last_place + 1
for _, other in ipairs(waiting) do
  if other.place < place then requests, tokens = requests + 1, tokens + other.tokens end
end

local function fits() return requests <= max_requests and tokens <= max_tokens end
local paused = redis.call('PTTL', pause_key)
if paused <= 0 and fits() then
  record(1, cost)
  redis.call('HDEL', line_key, id)
  return { 0, members }
end

local free_at = now + math.max(paused, 0)
for _, entry in ipairs(entries) do
  if fits() then break end
  requests, tokens = requests - entry.requests, tokens - entry.tokens
  free_at = math.max(free_at, entry.at + window)
end
-- Not longer: somebody ahead may give up, and a pause may come.
local wait = math.ceil(math.min(math.max(free_at - now, 1), longest_wait))
redis.call('HSET', line_key, id, string.format('%.0f %.0f %.3f', place, cost, now + wait + grace))
redis.call('PEXPIRE', line_key, longest_wait + grace)
return { wait, members }
