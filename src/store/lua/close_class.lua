--[[ close_class: staff close, once, a class whose roster was untouched.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 class  8 penalties ('1' or '')  9 reason
  REPLY  CLASS <id> <class> | REFUSED <code> <until> <detail>
  EVENTS class_changed, no_show_recorded, fee_charged, ban_started
  WHY    a roll that nobody took charges nobody until somebody says so ]]
R.write('close_class', function(X, id, penalties, reason)
  local c = R.class(X, id)
  if not c then return R.refuse('not_found', nil, 'class') end
  if c.status == 'cancelled' then return R.refuse('class_cancelled') end
  if c.untouched ~= '1' then return R.refuse('wrong_status') end
  R.set(X, c, 'untouched', 'closed')
  R.set(X, c, 'revision', c.revision + 1)
  R.emit(X, 'class_changed', X.now, {
    class = c, data = { changed = { 'closed' }, penalties = penalties == '1', reason = reason },
  })
  if penalties == '1' then R.penalise(X, c) end
  return 'CLASS', R.class_reply(c)
end)
