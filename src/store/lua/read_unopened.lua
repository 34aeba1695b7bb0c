--[[ read_unopened: the organisation, and every class whose booking has not opened.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms
  REPLY  UNOPENED <org pairs> <class id> <class pairs>…
  EVENTS none
  WHY    a new policy needs new terms for exactly these ]]
R.read('read_unopened', function(X)
  local out = { redis.call('HGETALL', X.org.key) }
  for _, entry in ipairs(R.range(R.z(X, 'unopened'))) do
    out[#out + 1] = entry.id
    out[#out + 1] = redis.call('HGETALL', X.p .. 'class:' .. entry.id)
  end
  return 'UNOPENED', out
end)
