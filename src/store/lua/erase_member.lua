--[[ erase_member: forget the person; ids stay in events, bookings and the ledger.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 member
  REPLY  ERASED | REFUSED <code> <until> <detail>
  EVENTS booking_cancelled, waitlist_left, member_erased, and what freed spots cause
  WHY    a tombstone keeps later waivers and rosters readable without a name ]]
R.write('erase_member', function(X, id)
  local m = R.member(X, id)
  if not m then return R.refuse('not_found', nil, 'member') end
  if m.erased then return 'ERASED', {} end
  R.set(X, m, 'status', 'ended')
  R.withdraw(X, m, function() return 'erased' end)
  R.reindex_member(X, m, '')
  local strikes = R.z(X, 'member:' .. id .. ':strikes')
  for _, entry in ipairs(R.range(strikes)) do R.drop(strikes, entry.id) end
  R.drop(R.z(X, 'timers'), 'a1 ' .. id)
  R.drop(R.z(X, 'members'), id)
  R.assign(X, m, 'member', {
    'erased', '1', 'banned_until', '', 'born', '', 'index', '', 'frozen', '', 'clubs', '', 'categories', '',
    'valid_from', '', 'valid_until', '', 'clips', '', 'clips_revision', '',
    'name', '', 'email', '', 'phone', '', 'language', '',
  })
  R.emit(X, 'member_erased', X.now, { member = id })
  R.ripple(X, X.now)
  return 'ERASED', {}
end)
