--[[ preview_cancel: what cancelling the booking now would cost.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 booking  3 owner ('' = the desk)
  REPLY  PREVIEW <outcome> <fee> <currency> <clip> <strike> <free_until> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    the price is shown by the code that charges it ]]
R.read('preview_cancel', function(X, id, owner)
  local b = R.owned_booking(X, id, owner)
  if not b then return R.refuse('not_found', nil, 'booking') end
  local barred = R.cancel_barred(b)
  if barred and barred ~= 'repeat' then return R.refuse(barred) end
  local c = R.class_of(X, b)
  local outcome, free_until = R.cancel_outcome(c, b, X.now, '')
  if barred then outcome = 'free' end
  local late = outcome == 'late'
  local clip = late and b.clip_charged ~= nil
  local fee = late and not clip and c.late_fee > 0 and c.late_fee or nil
  local strike = late and (c.late_is_strike or 0) == 1 and c.strikes ~= nil
  local shown = late and 'charged' or outcome
  return 'PREVIEW', { shown, R.text(fee), R.text(c.currency), R.text(clip), R.text(strike), R.text(free_until) }
end)
