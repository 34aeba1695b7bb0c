--[[ read_history: every event of a class, in order.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 class  3 how many to skip  4 limit
  REPLY  HISTORY <more: '1' or ''> <"cursor line">… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    it explains every promotion and every pass-over as long as the class is kept ]]
R.read('read_history', function(X, id, skip, limit)
  local c = R.class(X, id)
  if not c then return R.refuse('not_found', nil, 'class') end
  local from, most = tonumber(skip), tonumber(limit)
  local lines = redis.call('LRANGE', c.key .. ':history', from, from + most)
  local out = { '' }
  X.spent = X.spent + #lines
  for i, line in ipairs(lines) do
    if i > most then out[1] = '1' else out[i + 1] = line end
  end
  return 'HISTORY', out
end)
