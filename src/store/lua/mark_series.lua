--[[ mark_series: note until which day a series has been published.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 series  8 revision published  9 last day
  REPLY  MARKED | RETRY
  EVENTS none
  WHY    a series that changed meanwhile is published again, by what it says now ]]
R.write('mark_series', function(X, id, seen, day)
  local stored = redis.call('HGET', X.p .. 'series', id)
  if not stored or cjson.decode(stored).revision ~= tonumber(seen) then return 'RETRY', {} end
  local key = X.p .. 'series:published'
  if (redis.call('HGET', key, id) or '') < day then X.after[#X.after + 1] = { 'HSET', key, id, day } end
  return 'MARKED', {}
end)
