--[[ read_closures: the closures of a club.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 club
  REPLY  CLOSURES <closure, its text>… | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    there are never more than one page may have ]]
R.read('read_closures', function(X, club)
  if redis.call('HEXISTS', X.p .. 'clubs', club) == 0 then return R.refuse('not_found', nil, 'club') end
  local found = redis.call('HGETALL', R.closures_key(X, club))
  X.spent = X.spent + math.floor(#found / 16)
  return 'CLOSURES', found
end)
