-- KEYS[1]: the ledger. ARGV[1]: the id of who leaves. An empty ledger stays: it proves that nobody is there.
local raw = redis.call('GET', KEYS[1])
if not raw then return 0 end
local ledger = cjson.decode(raw)
local members = {}
for _, member in ipairs(ledger.members) do
  if member.id ~= ARGV[1] then members[#members + 1] = member end
end
ledger.members = members
redis.call('SET', KEYS[1], cjson.encode(ledger))
return 1
