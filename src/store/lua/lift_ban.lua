--[[ lift_ban: end a ban by hand; the strikes stay.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 member  8 reason
  REPLY  STANDING <pairs> <strikes> <booked> <policy> | REFUSED <code> <until> <detail>
  EVENTS ban_lifted, and what a gone obstacle causes
  WHY    lifted stays lifted for the strikes it rested on ]]
R.write('lift_ban', function(X, id, reason)
  local m = R.known_member(X, id)
  if not m then return R.refuse('not_found', nil, 'member') end
  if m.banned_until and X.now < m.banned_until then
    R.lift(X, m)
    R.judge(X, m, X.now, reason)
  end
  return 'STANDING', { kind = 'standing', id = m.id }
end)
