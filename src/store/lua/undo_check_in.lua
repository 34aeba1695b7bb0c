--[[ undo_check_in: take an arrival back, until check-in has closed; a walk-in is cancelled.
  KEYS   1 anchor of the organisation
  ARGV   1 now_ms  2 sub  3 role  4 command  5 fingerprint  6 keep_ms  7 booking  8 instructor ('' = the desk)
  REPLY  UNDONE <booking> | REFUSED <code> <until> <detail>
  EVENTS check_in_undone, fee_waived, booking_cancelled, and what the freed spot causes
  WHY    a slip of the finger costs nobody anything ]]
do
  local function undo(X, c, b, at)
    if b.status ~= 'checked_in' then
      R.set(X, b, 'present', nil)
      R.set(X, b, 'updated_at', at)
      R.emit(X, 'check_in_undone', at, { class = c, booking = b })
      return
    end
    R.undo_arrival(X, c, b, at, 'check_in_undone')
    if b.walk_in then
      R.leave_free(X, c, b, 'cancelled', at, 'check_in_undone')
      R.count_round(X, c, b, at)
      R.look(X, c, true)
    end
  end

  R.write('undo_check_in', function(X, id, instructor)
    local b, c = R.taught_booking(X, id, instructor)
    if not b then return R.refuse('not_found', nil, 'booking') end
    if not R.live[b.status] then return R.refuse('wrong_status') end
    if b.present then
      if c.closed then return R.refuse('check_in_closed') end
      undo(X, c, b, X.now)
    end
    return 'UNDONE', R.booking_reply(X, b)
  end)
end
