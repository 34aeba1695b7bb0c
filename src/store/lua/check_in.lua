--[[ check_in: record an arrival; for a waiting member, presence on stand-by.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 booking  8 instructor ('' = the desk)
  REPLY  CHECKED_IN <booking> | REFUSED <code> <until> <detail>
  EVENTS checked_in, fee_charged, present_on_standby, booking_promoted, excused, fee_waived, ban_lifted,
         waitlist_left, and what a gone obstacle causes
  WHY    two devices at once record one arrival ]]
do
  -- The booking and its class, where the instructor (or the desk) may see them.
  function R.taught_booking(X, id, instructor)
    local b = R.load(X, 'booking', id)
    local c = b and R.class_of(X, b)
    if b and (instructor == '' or c.instructor == instructor) then return b, c end
  end

  R.write('check_in', function(X, id, instructor)
    local b, c = R.taught_booking(X, id, instructor)
    if not b then return R.refuse('not_found', nil, 'booking') end
    local why, until_ = R.check_in(X, c, b, X.now)
    if why then return R.refuse(why, until_) end
    return 'CHECKED_IN', R.booking_reply(X, b)
  end)
end
