--[[ read_booking: one booking.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 booking  3 owner ('' = the desk)
  REPLY  BOOKING <booking> | REFUSED <code> <until> <detail>
  EVENTS none
  WHY    someone else's booking does not exist ]]
R.read('read_booking', function(X, id, owner)
  local b = R.owned_booking(X, id, owner)
  if not b then return R.refuse('not_found', nil, 'booking') end
  return 'BOOKING', { R.booking_doc(X, b) }
end)
