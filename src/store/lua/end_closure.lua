--[[ end_closure: the club is open on these days after all, unless another closure holds them.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 club  8 closure
  REPLY  OPEN | REFUSED <code> <until> <detail>
  EVENTS club_changed
  WHY    series are told from which day on to look again for what they left out; what was cancelled stays cancelled ]]
R.write('end_closure', function(X, club, id)
  local text = redis.call('HGET', R.closures_key(X, club), id)
  if not text then return R.refuse('not_found', nil, 'closure') end
  local from, again = string.sub(text, 1, 10), redis.call('HGET', X.p .. 'series:again', club)
  R.also(X, 'hash', 'HDEL', 'club:' .. club .. ':closures', id)
  R.emit(X, 'club_changed', X.now, { data = { club = club, closure = { id = id, ended = true } } })
  R.also(X, 'hash', 'HSET', 'series:again', club, again and again < from and again or from)
  R.set(X, X.org, 'reopened', (X.org.reopened or 0) + 1)
  return 'OPEN', {}
end)
