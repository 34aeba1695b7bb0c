--[[ put_club: create or rename a club.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 club  8 name
  REPLY  CLUB <id> <name>
  EVENTS club_changed
  WHY    classes and memberships may name only clubs that exist ]]
R.write('put_club', function(X, id, name)
  if redis.call('HGET', X.p .. 'clubs', id) ~= name then
    R.emit(X, 'club_changed', X.now, { data = { club = id, name = name } })
    X.after[#X.after + 1] = { 'HSET', X.p .. 'clubs', id, name }
  end
  return 'CLUB', { id, name }
end)
