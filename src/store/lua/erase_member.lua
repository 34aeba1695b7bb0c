--[[ erase_member: forget the person; ids stay in events, bookings and the ledger.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 member
  REPLY  ERASED | REFUSED <code> <until> <detail>
  EVENTS booking_cancelled, waitlist_left, member_erased, and what freed spots cause
  WHY    a tombstone keeps later waivers and rosters readable without a name ]]
do
  local function forget_keys(X, id)
    for name, kind in pairs({ strikes = 'zset', replies = 'hash' }) do
      local key = R.member_key(X, id, name)
      X.types[key] = kind
      X.after[#X.after + 1] = { 'DEL', key }
    end
  end

  -- The places ahead have been given up: the person goes.
  function R.forget(X, m, at)
    R.reindex_member(X, m, '')
    R.reindex_terms(X, m, '')
    R.drop(R.z(X, 'timers'), 'a1 ' .. m.id)
    R.drop(R.z(X, 'members'), m.id)
    R.assign(X, m, 'member', {
      'banned_until', '', 'born', '', 'index', '', 'frozen', '', 'clubs', '', 'categories', '',
      'valid_from', '', 'valid_until', '', 'clips', '', 'clips_revision', '',
      'name', '', 'email', '', 'phone', '', 'language', '',
    })
    forget_keys(X, m.id)
    R.emit(X, 'member_erased', at, { member = m.id })
  end

  R.write('erase_member', function(X, id)
    local m = R.member(X, id)
    if not m then return R.refuse('not_found', nil, 'member') end
    if m.erased then return 'ERASED', {} end
    R.set(X, m, 'erased', '1')
    R.set(X, m, 'status', 'ended')
    R.withdraw(X, m, {})
    return 'ERASED', {}
  end)
end
