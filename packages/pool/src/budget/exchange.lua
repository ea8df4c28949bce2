-- The rules of ledger.ts, where they are explained. KEYS[1]: the ledger. ARGV[1]: the request, as JSON.
local request = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)

-- Another run of the server (a restart from a snapshot, a replica that was promoted) may have lost the last
-- exchanges: its members are kept as living, and the state counts as new.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''

local raw = redis.call('GET', KEYS[1])
local ledger = raw and cjson.decode(raw) or { clock = 0, at = at, born = 0, next = 1, run = run, members = {} }
local silence = math.max(at - ledger.at, 0)
local clock = ledger.clock + math.min(silence, request.ttlMs / 4)
local interrupted = silence > request.ttlMs / 2
if ledger.run ~= run or (interrupted and ledger.clock - ledger.born < request.ttlMs) then ledger.born = clock end
if ledger.run ~= run or interrupted then
  for _, member in ipairs(ledger.members) do member.renewed = clock end
end
local age = clock - ledger.born

local own
local members = {}
for _, member in ipairs(ledger.members) do
  if member.id == request.id then own = member
  elseif clock - member.renewed <= member.ttlMs then members[#members + 1] = member end
end

-- Those that wait and fit, first come first; everybody's floors count, in their order.
local function in_line(limit)
  local floors, waiting, line = 0, {}, {}
  for _, member in ipairs(members) do
    if member.granted > 0 then floors = floors + member.floor else waiting[#waiting + 1] = member end
  end
  table.sort(waiting, function(a, b) return a.place < b.place end)
  for _, member in ipairs(waiting) do
    floors = floors + member.floor
    if floors > limit then break end
    line[#line + 1] = member
  end
  return line
end

local function grant(member, free, line, wanted)
  local settling = age < member.ttlMs
  local kept, position = 0, nil
  for index, waiting in ipairs(line) do
    if waiting == member then position = index break end
    kept = kept + waiting.floor
  end
  if member.granted > 0 then
    local most = settling and math.min(wanted, member.granted) or wanted
    return math.max(member.held, math.min(most, free - kept))
  end
  if not position or age < member.ttlMs / 2 then return 0 end
  local room = free - kept
  if room < member.floor then return 0 end
  return math.min(settling and member.floor or wanted, room)
end

local member
if own and own.turn >= request.turn then
  member = own
  members[#members + 1] = member
else
  local limit, taken = request.limit, 0
  for _, other in ipairs(members) do
    limit = math.min(limit, other.limit)
    taken = taken + other.granted
  end
  member = {
    id = request.id, weight = request.weight, floor = request.floor, cap = request.cap, held = request.held,
    ttlMs = request.ttlMs, limit = request.limit, turn = request.turn, renewed = clock,
    granted = math.max(own and own.granted or 0, request.held),
    place = own and own.place or ledger.next,
  }
  members[#members + 1] = member
  member.granted = grant(member, limit - taken, in_line(limit), request.request)
end

redis.call('SET', KEYS[1], cjson.encode({
  clock = clock, at = at, born = ledger.born, run = run, members = members,
  next = math.max(ledger.next, member.place + 1),
}))
return cjson.encode({ granted = member.granted, members = members, settling = age < request.ttlMs })
