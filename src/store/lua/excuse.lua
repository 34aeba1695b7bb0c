--[[ excuse: take back what a no-show or late cancel cost: fee, clip, strike, and a ban that no longer stands.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 booking  8 reason
  REPLY  EXCUSED <booking> | REFUSED <code> <until> <detail>
  EVENTS excused, fee_waived, ban_lifted, and what a gone obstacle causes
  WHY    the status stays: what happened is not rewritten ]]
R.write('excuse', function(X, id, reason)
  local b = R.load(X, 'booking', id)
  if not b then return R.refuse('not_found', nil, 'booking') end
  if b.status ~= 'no_show' and b.status ~= 'late_cancelled' then return R.refuse('wrong_status') end
  R.unwind(X, X.now, R.class_of(X, b), b, reason)
  return 'EXCUSED', R.booking_reply(X, b)
end)
